using System.Diagnostics;
using System.Globalization;
using Harness.Runtime.Native;

namespace Harness.Experiments.Keeping;

/// <summary>A program that can serve: its file, and what stands before its arguments.</summary>
/// <param name="File">Such as <c>dotnet</c>.</param>
/// <param name="Assembly">The assembly that it runs.</param>
internal sealed record DaemonProgram(string File, string Assembly)
{
    /// <summary>This one.</summary>
    public static DaemonProgram Own { get; } = new(Environment.ProcessPath!, typeof(DaemonProgram).Assembly.Location);
}

/// <summary>A daemon as the supervisor sees it: a process, and the line to it.</summary>
internal sealed class DaemonChild : IDisposable
{
    /// <summary>The option by which the daemon knows its supervisor.</summary>
    public const string KeptBy = "--kept-by";

    /// <summary>Exit codes above are 128 and a signal.</summary>
    public const int CodeMax = 128;

    private static readonly TimeSpan s_takeMax = TimeSpan.FromSeconds(5);

    private readonly Process _process;

    private DaemonChild(Process process, Link link)
    {
        _process = process;
        Link = link;
        Id = process.Id;
    }

    /// <summary>The line to it, which ends when the process does.</summary>
    public Link Link { get; }

    /// <summary>Its process id.</summary>
    public int Id { get; }

    /// <summary>Whether it has started and can take over.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Whether it serves.</summary>
    public bool IsServing { get; set; }

    /// <summary>When the next thing must have come from it, by <see cref="Environment.TickCount64"/>.</summary>
    public long AnswerBy { get; set; }

    /// <summary>What it runs.</summary>
    public required DaemonProgram Program { get; init; }

    /// <summary>Whether something is expected of it.</summary>
    public bool IsOwing => !IsWaiting && !IsServing;

    /// <summary>Starts one.</summary>
    /// <param name="program">What to run.</param>
    /// <param name="arguments">The arguments of the mount.</param>
    /// <param name="answerBy">When it must have said hello.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be run.</exception>
    public static DaemonChild Start(DaemonProgram program, IEnumerable<string> arguments, long answerBy)
    {
        (Microsoft.Win32.SafeHandles.SafeFileHandle ours, int theirs) = UnixSocket.PacketPair();
        try
        {
            UnixSocket.LimitSending(ours, s_takeMax);
            var start = new ProcessStartInfo(program.File, [program.Assembly, .. arguments, KeptBy, theirs.ToString(CultureInfo.InvariantCulture)]);
            return new DaemonChild(Process.Start(start)!, new Link(ours)) { Program = program, AnswerBy = answerBy };
        }
        catch
        {
            ours.Dispose();
            throw;
        }
        finally
        {
            _ = Libc.Close(theirs);
        }
    }

    /// <summary>Ends it, whatever it does.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Waits for the end of a process whose line has ended, after which it can do nothing more.</summary>
    /// <returns>Its exit code.</returns>
    public int Reap()
    {
        _process.WaitForExit();
        return _process.ExitCode;
    }

    /// <summary>Says how a process with this exit code ended.</summary>
    public static string Describe(int exitCode) => exitCode > CodeMax ? $"was killed by signal {exitCode - CodeMax}" : $"ended with code {exitCode}";

    /// <inheritdoc/>
    public void Dispose()
    {
        Link.Dispose();
        _process.Dispose();
    }
}
