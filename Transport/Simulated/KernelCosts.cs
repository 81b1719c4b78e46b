using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;

namespace Harness.Transport.Simulated;

/// <summary>
/// What the kernel's FUSE code and the daemon take besides the machine's elementary acts, in nanoseconds: the layers <c>fuse</c> and
/// <c>daemon</c> of a machine file.
/// </summary>
/// <param name="PathComponent">Finding a name in the dentry cache and checking its permission.</param>
/// <param name="Request">What who sends a request does for it besides: allocating, filling and accounting it, waiting, reading its answer.</param>
/// <param name="Serve">What the daemon's thread does for it in the kernel besides: preparing the copies, looking up, ending it.</param>
/// <param name="Page">Finding a page in the page cache, or adding it.</param>
/// <param name="PinnedPage">Looking up a page of a process's memory, holding and releasing it: what direct I/O and each copy of a message do.</param>
/// <param name="AsyncIo">Setting up an asynchronous read or write, and telling of its end.</param>
/// <param name="ReadPage">The daemon: what each further page of data takes that a READ is answered with.</param>
/// <param name="Dispatch">The daemon: taking a message apart, calling the file system, laying out the answer.</param>
public sealed record KernelCosts(long PathComponent, long Request, long Serve, long Page, long PinnedPage, long AsyncIo, long ReadPage, long Dispatch)
{
    /// <summary>The layer of a machine file that holds the kernel's part.</summary>
    public const string FuseLayer = "fuse";

    /// <summary>The layer of a machine file that holds the daemon's part: <c>dispatch</c>, and an entry by an opcode's name where that one differs.</summary>
    public const string DaemonLayer = "daemon";

    /// <summary>
    /// Cache lines of a request that the CPU which takes it, or which takes its answer, has to fetch from the other: struct fuse_req with its
    /// arguments and headers (fs/fuse/fuse_i.h: four lines, three for the arguments and their pages, one for what waits for it).
    /// </summary>
    public const int RequestLines = 8;

    private const int CachePageBytes = 4096;

    private readonly Dictionary<Opcode, long> _dispatch = [];

    /// <summary>What a machine without these layers is taken for.</summary>
    /// <remarks>
    /// Estimates: 90 ns a path component and 35 ns a page are what stat(2) of a long path and a cached read take beyond a bare system call
    /// on current machines; 350 ns for a request is a slab allocation and release, a wait queue's set-up, and some twenty fields, and
    /// what the daemon's side takes is left out of it; 60 ns for a pinned page is a walk of the page table without a lock and two atomic
    /// operations on the folio; 300 ns for asynchronous I/O are those of io_submit(2) and aio_complete; 150 ns for the daemon is a message of the
    /// memory backend in this project's in-process benchmark.
    /// </remarks>
    public static KernelCosts Estimated { get; } = new(90, 350, 0, 35, 60, 300, 0, 150);

    /// <summary>What the daemon takes for a message.</summary>
    /// <param name="opcode">Of what kind.</param>
    /// <param name="outMax">The most data that the answer may have.</param>
    public long DispatchOf(Opcode opcode, int outMax) =>
        _dispatch.GetValueOrDefault(opcode, Dispatch) + (opcode == Opcode.Read ? Math.Max(0, outMax - 1) / CachePageBytes * ReadPage : 0);

    /// <summary>The figures of a machine file, and the estimates for what it does not say.</summary>
    /// <exception cref="Simulation.MachineFiles.MachineFileException">One of the layers has a cost that is not known.</exception>
    public static KernelCosts Of(MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        Refuse(machine, FuseLayer, ["pathComponent", "request", "serve", "page", "pinnedPage", "asyncIo"]);
        Refuse(machine, DaemonLayer, ["dispatch", "readPage", .. Enum.GetNames<Opcode>().Select(opcode => opcode.ToLowerInvariant())]);
        var costs = new KernelCosts(
            Read(machine, FuseLayer, "pathComponent", Estimated.PathComponent),
            Read(machine, FuseLayer, "request", Estimated.Request),
            Read(machine, FuseLayer, "serve", Estimated.Serve),
            Read(machine, FuseLayer, "page", Estimated.Page),
            Read(machine, FuseLayer, "pinnedPage", Estimated.PinnedPage),
            Read(machine, FuseLayer, "asyncIo", Estimated.AsyncIo),
            Read(machine, DaemonLayer, "readPage", Estimated.ReadPage),
            Read(machine, DaemonLayer, "dispatch", Estimated.Dispatch));
        foreach (Opcode opcode in Enum.GetValues<Opcode>())
        {
            if (Find(machine, DaemonLayer, $"{opcode}".ToLowerInvariant()) is long nanoseconds)
            {
                costs._dispatch[opcode] = nanoseconds;
            }
        }

        return costs;
    }

    private static void Refuse(MachineDescription machine, string layer, IReadOnlyCollection<string> known)
    {
        if (machine.Layers.TryGetValue(layer, out LayerCosts? costs))
        {
            costs.RefuseOthersThan(known);
        }
    }

    private static long Read(MachineDescription machine, string layer, string name, long otherwise) => Find(machine, layer, name) ?? otherwise;

    private static long? Find(MachineDescription machine, string layer, string name) =>
        machine.Layers.TryGetValue(layer, out LayerCosts? costs) && costs.Times.TryGetValue(name, out Cost? cost) ? cost.Nanoseconds : null;
}
