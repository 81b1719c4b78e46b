using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Server;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>What a replica remembers of the mutations that it has taken in.</summary>
public sealed class MutationNumbersTests
{
    private const ulong Client = 7;
    private const int Seed = 20_261_123;

    private readonly MutationWindow _window = new();

    [Fact]
    public void AMutationKeepsTheSequenceThatItWasGivenFirst()
    {
        _window.Add(new MutationId(Client, 5), 50);
        _window.Add(new MutationId(Client, 5), 51);
        Assert.True(_window.TryFind(new MutationId(Client, 5), out ulong sequence));
        Assert.Equal(50ul, sequence);
        Assert.False(_window.TryFind(new MutationId(Client + 1, 5), out _));
    }

    [Fact]
    public void AMutationWithoutANumberIsNotRemembered()
    {
        _window.Add(new MutationId(Client, 0), 1);
        Assert.False(_window.TryFind(new MutationId(Client, 0), out _));
        Assert.Empty(_window.Entries);
    }

    [Fact]
    public void OfOneClientTheNewestNumbersAreRemembered()
    {
        for (ulong number = 1; number <= MutationWindow.NumbersMax + 1; number++)
        {
            _window.Add(new MutationId(Client, number), number);
        }

        Assert.False(_window.TryFind(new MutationId(Client, 1), out _));
        Assert.True(_window.TryFind(new MutationId(Client, 2), out _));
        Assert.Equal(MutationWindow.NumbersMax, _window.Entries.Count());
    }

    [Fact]
    public void TheClientHeardOfFirstIsForgottenFirst()
    {
        for (ulong client = 1; client <= MutationWindow.ClientsMax + 1; client++)
        {
            _window.Add(new MutationId(client, 1), client);
        }

        Assert.False(_window.TryFind(new MutationId(1, 1), out _));
        Assert.Equal(2ul, _window.Entries.First().Client);
        Assert.Equal(MutationWindow.ClientsMax, _window.Entries.Count());
    }

    /// <summary>Numbers come in disorder, again, and are forgotten, as a set and a map would have it.</summary>
    [Fact]
    public void ItRemembersWhatAMapWould()
    {
        var random = new Random(Seed);
        var model = new SortedDictionary<(ulong Client, ulong Number), ulong>();
        ulong[] from = [1, 1, 1];
        for (ulong step = 1; step <= 20_000; step++)
        {
            ulong client = (ulong)random.Next(from.Length);
            ulong number = from[client] + (ulong)random.Next(40);
            if (random.Next(4) == 0)
            {
                from[client] = Math.Max(from[client], number - Math.Min(number, 20));
                _window.ForgetBelow(client, from[client]);
                foreach ((ulong Client, ulong Number) key in model.Keys.Where(key => key.Client == client && key.Number < from[client]).ToArray())
                {
                    model.Remove(key);
                }
            }
            else
            {
                _window.Add(new MutationId(client, number), step);
                model.TryAdd((client, number), step);
            }

            bool found = _window.TryFind(new MutationId(client, number), out ulong sequence);
            Assert.True(found == model.TryGetValue((client, number), out ulong expected) && sequence == expected, $"seed {Seed}, step {step}");
        }

        Assert.Equal(
            model.Select(static pair => (pair.Key.Client, pair.Key.Number, pair.Value)).Order(),
            _window.Entries.Select(static entry => (entry.Client, entry.Mutation, entry.Sequence)).Order());
    }
}
