using System.Globalization;

namespace Harness.Experiments.Keeping;

/// <summary>What a supervisor can be asked: how its daemon is, or to replace it.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Program">What to replace it by.</param>
internal sealed record SupervisorRequest(string Verb, DaemonProgram? Program = null)
{
    /// <summary>Asks for a <see cref="SupervisorStatus"/>.</summary>
    public const string Status = "status";

    /// <summary>Asks for another daemon, which may be another program.</summary>
    public const string Replace = "replace";

    private const char Separator = '\n';

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static SupervisorRequest Parse(string text)
    {
        string[] parts = text.Split(Separator);
        return new SupervisorRequest(parts[0], parts.Length == 3 ? new DaemonProgram(parts[1], parts[2]) : null);
    }

    /// <inheritdoc/>
    public override string ToString() => Program is null ? Verb : string.Join(Separator, Verb, Program.File, Program.Assembly);
}

/// <summary>How a kept mount's daemon is.</summary>
/// <param name="Daemon">Its process id.</param>
/// <param name="IsServing">Whether it has taken over.</param>
/// <param name="Generation">The how manieth it is.</param>
internal sealed record SupervisorStatus(int Daemon, bool IsServing, uint Generation)
{
    /// <summary>Asks a connection's supervisor.</summary>
    /// <returns>Null if it has none.</returns>
    public static SupervisorStatus? Of(uint connection) =>
        SupervisorSocket.Ask(connection, new SupervisorRequest(SupervisorRequest.Status).ToString())?.Split(' ') is [var daemon, var serving, var generation]
            ? new SupervisorStatus(
                int.Parse(daemon, CultureInfo.InvariantCulture), bool.Parse(serving), uint.Parse(generation, CultureInfo.InvariantCulture))
            : null;

    /// <inheritdoc/>
    public override string ToString() => $"{Daemon} {IsServing} {Generation}";
}
