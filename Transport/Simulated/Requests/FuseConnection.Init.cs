using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Requests;

/// <summary>INIT, and what the daemon's answer makes of the connection (fs/fuse/inode.c, <c>process_init_reply</c>).</summary>
internal sealed partial class FuseConnection
{
    private const int PageBytes = 4096;

    // FUSE_DEFAULT_MAX_PAGES_PER_REQ, FUSE_DEFAULT_MAX_BACKGROUND and FUSE_DEFAULT_CONGESTION_THRESHOLD (fs/fuse/fuse_i.h, inode.c).
    private const int MaxPagesDefault = 32;
    private const int MaxBackgroundDefault = 12;
    private const int CongestionThresholdDefault = 9;

    private InitFlags _flags;

    /// <summary>Largest data of a WRITE, in bytes.</summary>
    public int MaxWrite { get; private set; } = PageBytes;

    /// <summary>Most pages of a message.</summary>
    public int MaxPages { get; private set; } = MaxPagesDefault;

    /// <summary>Pages that are read ahead at most.</summary>
    public int ReadaheadPages { get; private set; }

    public int MaxBackground { get; private set; } = MaxBackgroundDefault;

    public int CongestionThreshold { get; private set; } = CongestionThresholdDefault;

    /// <summary>The longest message, in bytes, header and arguments included.</summary>
    public int MessageBytes => Math.Max(Protocol.MinReadBuffer, PageBytes + Math.Max(MaxWrite, MaxPages * PageBytes));

    // Opcodes that the daemon has answered ENOSYS, and which it is not asked again.
    public bool NoOpen { get; set; }

    public bool NoOpendir { get; set; }

    public bool NoFlush { get; set; }

    public bool NoFsync { get; set; }

    public bool NoFsyncdir { get; set; }

    public bool NoFallocate { get; set; }

    public bool NoLseek { get; set; }

    public bool NoGetxattr { get; set; }

    public bool NoSetxattr { get; set; }

    public bool NoListxattr { get; set; }

    public bool NoRemovexattr { get; set; }

    public bool Has(InitFlags flag) => (_flags & flag) != 0;

    /// <summary>Sends INIT and acts on the answer.</summary>
    /// <param name="task">Who mounts.</param>
    /// <param name="readaheadBytes">What <c>read_ahead_kb</c> is set to afterwards; 0 leaves it.</param>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Errno> Start(KernelTask task, int readaheadBytes)
    {
        KernelRequest init = Rent(Opcode.Init, 0);
        init.Add(new InitIn
        {
            Major = Protocol.Major,
            Minor = Options.Minor,
            MaxReadahead = (uint)Options.ReadaheadBytes,
            Flags = (uint)Options.Offered,
            Flags2 = (uint)((ulong)Options.Offered >> 32),
        });
        Errno error = await Send(task, init);
        InitOut answer = init.Read<InitOut>();
        Return(init);
        if (error != Errnos.Ok)
        {
            return error;
        }

        Adopt(answer);
        ReadaheadPages = readaheadBytes > Options.ReadaheadBytes ? readaheadBytes / PageBytes : ReadaheadPages;
        return Errnos.Ok;
    }

    private void Adopt(in InitOut answer)
    {
        _flags = (InitFlags)answer.Flags;
        if (Has(InitFlags.InitExt))
        {
            _flags |= (InitFlags)((ulong)answer.Flags2 << 32);
        }

        MaxPages = Has(InitFlags.MaxPages) ? Math.Clamp((int)answer.MaxPages, 1, Options.MaxPagesLimit) : MaxPagesDefault;
        MaxWrite = (int)Math.Max(PageBytes, answer.MaxWrite);
        ReadaheadPages = (int)Math.Min(answer.MaxReadahead, (uint)Options.ReadaheadBytes) / PageBytes;
        MaxBackground = answer.MaxBackground == 0 ? MaxBackgroundDefault : answer.MaxBackground;
        CongestionThreshold = answer.CongestionThreshold == 0 ? CongestionThresholdDefault : answer.CongestionThreshold;
    }
}
