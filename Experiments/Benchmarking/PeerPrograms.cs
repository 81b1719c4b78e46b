using System.ComponentModel;
using System.Diagnostics;
using Harness.Experiments.Machine;
using Harness.Transport;

namespace Harness.Experiments.Benchmarking;

/// <summary>The programs of <c>Benchmarks/Peers</c>, built where they are needed.</summary>
internal static class PeerPrograms
{
    private const string Folder = "Benchmarks/Peers";

    private static readonly string[] s_packages = ["gcc", "make", "pkg-config", "libfuse3-dev"];

    /// <summary>Where the sources are.</summary>
    /// <exception cref="FuseTransportException">This program runs far from its sources.</exception>
    public static string Sources { get; } = FindSources();

    /// <summary>The null file system on libfuse.</summary>
    public static string Libfuse => Path.Combine(Sources, "bin/libfuse_null");

    /// <summary>The null server in bare C.</summary>
    public static string Floor => Path.Combine(Sources, "bin/floor");

    /// <summary>The version of libfuse that they are built with; null where there is none to build with.</summary>
    public static string? LibfuseVersion() =>
        Programs.Exist("pkg-config") && Run("pkg-config", "--modversion", "fuse3") is (0, string version) ? version.Trim() : null;

    /// <summary>Builds what is not built or older than its sources. Installs what that needs, where this is root and it is missing.</summary>
    /// <exception cref="FuseTransportException">They cannot be built here; the message says what is missing.</exception>
    public static void Build(TextWriter progress)
    {
        if (!CanBuild())
        {
            Apt.Install("The peers are C programs on libfuse3, and what builds them is missing", progress, s_packages);
            if (!CanBuild())
            {
                throw new FuseTransportException($"The peers cannot be built. Try by hand: apt-get install -y {string.Join(' ', s_packages)}");
            }
        }

        (int code, string output) = Run("make", "-C", Sources);
        if (code != 0)
        {
            throw new FuseTransportException($"Building the peers failed: make -C {Sources}\n{output.Trim()}");
        }
    }

    private static bool CanBuild() => Programs.Exist("cc") && Programs.Exist("make") && LibfuseVersion() is not null;

    private static (int Code, string Output) Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + errors.Result);
        }
        catch (Win32Exception exception)
        {
            throw new FuseTransportException($"{program} could not be started: {exception.Message}", exception);
        }
    }

    private static string FindSources()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            string folder = Path.Combine(directory.FullName, Folder);
            if (File.Exists(Path.Combine(folder, "Makefile")))
            {
                return folder;
            }
        }

        throw new FuseTransportException($"There is no {Folder} above {AppContext.BaseDirectory}. Run ./harness in the source tree.");
    }
}
