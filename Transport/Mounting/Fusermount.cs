using System.ComponentModel;
using System.Diagnostics;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;

namespace Harness.Transport.Mounting;

/// <summary>Mounts as an ordinary user through the setuid program fusermount3(1), which hands the device fd back over a socket.</summary>
internal static class Fusermount
{
    private const string Program = "fusermount3";

    /// <summary>The environment variable in which fusermount3 finds the number of the socket.</summary>
    private const string CommFd = "_FUSE_COMMFD";

    // nosuid and nodev are what fusermount3 does for an ordinary user whatever it is told.
    private static readonly (MountFlags Flag, string Word)[] s_flagWords =
    [
        (MountFlags.ReadOnly, "ro"), (MountFlags.NoExec, "noexec"), (MountFlags.Synchronous, "sync"), (MountFlags.DirSync, "dirsync"),
        (MountFlags.NoAtime, "noatime"), (MountFlags.NoDirAtime, "nodiratime"),
    ];

    /// <summary>Mounts and returns the device fd.</summary>
    public static SafeFileHandle Mount(string path, MountOptions options)
    {
        // The child inherits its end because it alone is not close-on-exec.
        (SafeFileHandle ours, int theirs) = UnixSocket.Pair();
        using (ours)
        {
            using Process process = Start(["-o", OptionText(options), "--", path], theirs);
            _ = Libc.Close(theirs);
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new FuseTransportException($"{Program} could not mount {path}: {errors.Trim()}");
            }

            return UnixSocket.ReceiveFd(ours) ??
                throw new FuseTransportException($"{Program} mounted {path} but sent no device back; unmount it: {Program} -u {path}");
        }
    }

    /// <summary>Unmounts; lazily where files are open.</summary>
    /// <returns>Whether nothing was open.</returns>
    public static bool Unmount(string path)
    {
        (int code, _) = Run("-u", "--", path);
        if (code == 0)
        {
            return true;
        }

        (code, string errors) = Run("-u", "-z", "--", path);
        return code == 0 ? false : throw new FuseTransportException($"{Program} could not unmount {path}: {errors.Trim()}");
    }

    private static string OptionText(MountOptions options)
    {
        var words = new List<string> { $"fsname={options.FsName}", $"subtype={options.Subtype}" };
        words.AddRange(s_flagWords.Where(pair => options.Flags.HasFlag(pair.Flag)).Select(pair => pair.Word));
        if (options.DefaultPermissions)
        {
            words.Add("default_permissions");
        }

        if (options.AllowOther == true)
        {
            words.Add("allow_other");
        }

        if (options.MaxRead > 0)
        {
            words.Add($"max_read={options.MaxRead}");
        }

        return string.Join(',', words);
    }

    private static (int Code, string Errors) Run(params string[] arguments)
    {
        using Process process = Start(arguments, null);
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, errors);
    }

    private static Process Start(IEnumerable<string> arguments, int? socket)
    {
        var start = new ProcessStartInfo(Program, arguments) { RedirectStandardError = true };
        if (socket is int fd)
        {
            start.Environment[CommFd] = fd.ToString();
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new FuseTransportException($"Mounting as an ordinary user needs {Program}, which is missing. Install it: apt-get install fuse3");
        }
    }
}
