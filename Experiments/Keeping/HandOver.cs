using Harness.Transport;
using Microsoft.Win32.SafeHandles;

namespace Harness.Experiments.Keeping;

/// <summary>All that a daemon gets from the supervisor before it serves.</summary>
internal sealed class HandOver
{
    private readonly List<SafeFileHandle> _devices = [];
    private readonly Dictionary<int, int> _kept = [];
    private KeptState? _state;

    private HandOver()
    {
    }

    /// <summary>The state in memory.</summary>
    public KeptState State => _state ?? throw new FuseTransportException("The supervisor sent no state.");

    /// <summary>The connection's fds: the device, and its clones where there are any.</summary>
    public IReadOnlyList<SafeFileHandle> Devices => _devices;

    /// <summary>The descriptors that were kept, by slot.</summary>
    public IReadOnlyDictionary<int, int> Kept => _kept;

    /// <summary>Sends everything to a daemon that has said hello.</summary>
    /// <returns>False if it did not take it.</returns>
    public static bool TrySend(Link link, KeptState state, IReadOnlyList<SafeFileHandle> devices, DescriptorShelf shelf)
    {
        state.Header.Generation++;
        bool sent = link.TrySend(LinkVerb.State, [], [(int)state.Descriptor.DangerousGetHandle()]);
        foreach (SafeFileHandle[] some in devices.Chunk(Link.ValuesMax))
        {
            sent = sent && link.TrySend(LinkVerb.Devices, [], [.. some.Select(each => (int)each.DangerousGetHandle())]);
        }

        return sent && shelf.TrySendAll(link) && link.TrySend(LinkVerb.Go);
    }

    /// <summary>Says hello, and waits for everything, which for a daemon that stands by may be long.</summary>
    /// <exception cref="FuseTransportException">The supervisor is gone, or not of this version.</exception>
    public static HandOver Receive(Link link)
    {
        var handOver = new HandOver();
        link.TrySend(LinkVerb.Hello, [KeptState.Version]);
        using var rehearsal = new Rehearsal();
        while (link.Receive(wait: true) == true)
        {
            rehearsal.End();
            if (link.Verb == LinkVerb.Go)
            {
                return handOver;
            }

            handOver.Take(link);
        }

        throw new FuseTransportException("The supervisor is gone.");
    }

    private void Take(Link link)
    {
        ReadOnlySpan<int> fds = link.Descriptors;
        switch (link.Verb)
        {
            case LinkVerb.State when fds.Length == 1:
                _state = KeptState.Open(new SafeFileHandle(fds[0], ownsHandle: true));
                break;
            case LinkVerb.Devices:
                foreach (int fd in fds)
                {
                    _devices.Add(new SafeFileHandle(fd, ownsHandle: true));
                }

                break;
            case LinkVerb.Descriptors when fds.Length == link.Values.Length:
                for (int i = 0; i < fds.Length; i++)
                {
                    _kept[(int)link.Values[i]] = fds[i];
                }

                break;
            default:
                throw new FuseTransportException($"The supervisor sent {link.Verb} with {fds.Length} descriptors, which this program does not understand.");
        }
    }
}
