using Harness.Experiments.Backends;
using Harness.Experiments.Fuzz;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Calibration;

/// <summary>What the daemon's code takes for a message, in this process and without a kernel: session, dispatcher and the null file system.</summary>
/// <param name="sampler">Repeats the measurements.</param>
/// <param name="cpu">Where.</param>
internal sealed class DaemonBenchmarks(Sampler sampler, int cpu)
{
    private const int Messages = 20_000;
    private const int DataBytes = 4096;
    private const int LargeBytes = 1 << 20;
    private const int LargeMessages = 500;
    private const ulong Unique = 2;
    private const string FileName = "zero.0";

    /// <summary>Every opcode that is measured, by the name of its entry in a machine file.</summary>
    public IEnumerable<(string Name, Figure Figure)> All()
    {
        IFileSystem files = BackendFactory.Create(new MountSpec { Backend = new Backend(Backend.Null, null), MountPoint = "/" });
        using var channel = new FakeChannel(new FuseSession(files, new SessionOptions()), RequestShape.Device, LargeBytes);
        InitFlags offered = SessionOptions.Default | files.Capabilities;
        FakeRequest slot = channel.Deliver(FuseMessage.Init(Protocol.Minor, offered));
        channel.Agreed = offered;
        // The null file system numbers its files from the node behind the root.
        ulong node = NodeId.Root.Value + 1;
        (Opcode Opcode, byte[] Message)[] messages =
        [
            (Opcode.Getattr, FuseMessage.Build(Opcode.Getattr, Unique, default(GetattrIn), nodeId: node)),
            (Opcode.Lookup, FuseMessage.Build(Opcode.Lookup, Unique, FuseMessage.Name(FileName), NodeId.Root.Value)),
            (Opcode.Read, FuseMessage.Build(Opcode.Read, Unique, new ReadIn { Size = DataBytes }, nodeId: node)),
            (Opcode.Write, FuseMessage.Build(Opcode.Write, Unique, new WriteIn { Size = DataBytes }, new byte[DataBytes], node)),
        ];
        byte[] readsMore = FuseMessage.Build(Opcode.Read, Unique, new ReadIn { Size = LargeBytes }, nodeId: node);
        const int furtherPages = (LargeBytes / DataBytes) - 1;
        yield return ("readPage", sampler.Settle(each =>
        {
            Figure page = each.Each(cpu, Messages, () => channel.TryDeliver(messages[2].Message, slot), "");
            return each.Each(cpu, LargeMessages, () => channel.TryDeliver(readsMore, slot), "").Less("", page).Times(
                1.0 / furtherPages, "measured here: READ of 1 MiB handled by session, dispatcher and null file system, less READ of 4 KiB, per page");
        }));
        foreach ((Opcode opcode, byte[] message) in messages)
        {
            // A fake slot copies the message in; that copy is the kernel's, which charges it itself.
            byte[] into = new byte[message.Length];
            Figure copied = sampler.Each(cpu, Messages, () => message.CopyTo(into, 0), "");
            Figure handled = sampler.Each(cpu, Messages, () => channel.TryDeliver(message, slot), "");
            string name = $"{opcode}".ToLowerInvariant();
            yield return (name, handled.Less(
                $"measured here: {opcode} handled by session, dispatcher and null file system in process, less the copy of the message", copied));
        }
    }
}
