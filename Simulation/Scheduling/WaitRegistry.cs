using System.Text;

namespace Harness.Simulation.Scheduling;

/// <summary>Somebody waits for something.</summary>
/// <param name="Who">The waiter's name.</param>
/// <param name="What">What it waits for.</param>
/// <param name="HeldBy">The name of whoever has to act first, if that is known.</param>
/// <param name="IsService">Whether the waiter may wait for ever, as a server does for its next request.</param>
public readonly record struct Wait(string Who, string What, string? HeldBy, bool IsService);

/// <summary>Something that can tell, when asked, who waits in it. A simulated machine is one.</summary>
interface IWaitSource
{
    void AddWaitsTo(ICollection<Wait> waits);
}

/// <summary>
/// Who waits for what. Entering and leaving cost a few nanoseconds and no allocation; names are put together in a report only.
/// </summary>
public sealed class WaitRegistry
{
    readonly List<IWaitSource> sources = [];
    Entry[] entries = new Entry[16];
    int used;
    int firstFree = -1;

    struct Entry
    {
        public object? Who;
        public object? What;
        public bool IsService;
        public int NextFree;
        public int Generation;
    }

    /// <summary>Notes that <paramref name="who"/> waits for <paramref name="what"/>, until the returned token is disposed of.</summary>
    /// <param name="who">Its text is the waiter's name.</param>
    /// <param name="what">Its text says what is waited for; asked for in a report only.</param>
    /// <param name="isService">Whether to wait for ever is no fault.</param>
    public WaitToken Enter(object who, object what, bool isService = false)
    {
        int index = firstFree;
        if (index >= 0)
        {
            firstFree = entries[index].NextFree;
        }
        else
        {
            if (used == entries.Length)
            {
                Array.Resize(ref entries, 2 * used);
            }
            index = used++;
        }
        ref Entry entry = ref entries[index];
        entry.Who = who;
        entry.What = what;
        entry.IsService = isService;
        return new WaitToken(this, index, ++entry.Generation);
    }

    internal void Leave(int index, int generation)
    {
        ref Entry entry = ref entries[index];
        if (entry.Generation == generation)
        {
            entry = new Entry { Generation = generation + 1, NextFree = firstFree };
            firstFree = index;
        }
    }

    internal void Add(IWaitSource source) => sources.Add(source);

    /// <summary>All waits now, those entered here first.</summary>
    public IReadOnlyList<Wait> Snapshot()
    {
        var waits = new List<Wait>();
        for (int i = 0; i < used; i++)
        {
            if (entries[i] is { Who: { } who } entry)
            {
                waits.Add(new Wait(who.ToString() ?? "", entry.What?.ToString() ?? "", null, entry.IsService));
            }
        }
        foreach (IWaitSource source in sources)
        {
            source.AddWaitsTo(waits);
        }
        return waits;
    }

    /// <summary>The report of a run that cannot go on.</summary>
    /// <param name="what">What has happened, as the beginning of a sentence.</param>
    /// <param name="waits">Who waits.</param>
    internal static string Describe(string what, IReadOnlyList<Wait> waits)
    {
        var text = new StringBuilder($"{what}, and {waits.Count} still wait:");
        foreach (Wait wait in waits)
        {
            string holder = wait.HeldBy is null ? "" : $", held by {wait.HeldBy}";
            string service = wait.IsService ? " (a service: may wait for ever)" : "";
            text.Append($"{Environment.NewLine}  {wait.Who} waits for {wait.What}{holder}{service}");
        }
        if (FindCycle(waits) is { } cycle)
        {
            text.Append($"{Environment.NewLine}Cycle: {string.Join(" → ", cycle)}");
        }
        return text.ToString();
    }

    /// <summary>Follows "held by" from waiter to waiter; a name that comes again closes a cycle.</summary>
    static List<string>? FindCycle(IReadOnlyList<Wait> waits)
    {
        foreach (Wait start in waits)
        {
            var path = new List<string> { start.Who };
            string? next = start.HeldBy;
            while (next is not null && !path.Contains(next))
            {
                path.Add(next);
                next = waits.FirstOrDefault(wait => wait.Who == next).HeldBy;
            }
            if (next == start.Who)
            {
                path.Add(next);
                return path;
            }
        }
        return null;
    }
}

/// <summary>A wait that was entered; disposing of it, more than once if need be, ends it.</summary>
public readonly record struct WaitToken : IDisposable
{
    readonly WaitRegistry? registry;
    readonly int index;
    readonly int generation;

    internal WaitToken(WaitRegistry registry, int index, int generation) =>
        (this.registry, this.index, this.generation) = (registry, index, generation);

    /// <inheritdoc/>
    public void Dispose() => registry?.Leave(index, generation);
}
