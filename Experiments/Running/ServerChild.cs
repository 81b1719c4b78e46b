using System.Diagnostics;
using Harness.Experiments.Commands;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Running;

/// <summary>A server of this program as a child that ends when this process does, however that ends: it reads a pipe that is closed then.</summary>
internal sealed class ServerChild : IAsyncDisposable
{
    private const int SigTerm = 15;

    private static readonly TimeSpan s_stopMax = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Task<string> _errors;

    private ServerChild(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The line by which it said that it serves, and where.</summary>
    public string FirstLine { get; private set; } = string.Empty;

    /// <summary>Starts a command of this program.</summary>
    public static ServerChild Start(IEnumerable<string> arguments) => new(Process.Start(new ProcessStartInfo(
        Environment.ProcessPath!, [typeof(ServerChild).Assembly.Location, .. arguments, MountCommand.ExitWithParent])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!);

    /// <summary>Waits for its first line.</summary>
    /// <exception cref="FuseTransportException">It has ended instead; the message is its own.</exception>
    public async Task AwaitReady(CancellationToken cancellationToken) => FirstLine =
        await _process.StandardOutput.ReadLineAsync(cancellationToken).ConfigureAwait(false) ??
        throw new FuseTransportException(SaidOf(await _errors.ConfigureAwait(false)));

    /// <summary>What a process of this program said to people, without its log.</summary>
    private static string SaidOf(string errors)
    {
        const string prefix = "harness: ";
        string[] said =
        [
            .. errors.Split('\n').Where(static line => line.StartsWith(prefix, StringComparison.Ordinal)).Select(static line => line[prefix.Length..]),
        ];
        return said.Length > 0 ? string.Join(' ', said) : $"A server of the trial's cluster ended at once. {errors.Trim()}";
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Libc.Kill(_process.Id, SigTerm);
        }

        try
        {
            await _process.WaitForExitAsync().WaitAsync(s_stopMax).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _process.Kill();
            await _process.WaitForExitAsync().ConfigureAwait(false);
        }

        _process.Dispose();
    }
}
