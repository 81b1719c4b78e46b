using YamlDotNet.Core;

namespace Harness.Simulation.MachineFiles;

/// <summary>A machine file says something impossible. The message names file, line and column, and what is allowed.</summary>
public sealed class MachineFileException : FormatException
{
    internal MachineFileException(string file, Mark mark, string message)
        : base($"{file}:{mark.Line}:{mark.Column}: {message}")
    {
    }

    internal MachineFileException(string message)
        : base(message)
    {
    }
}
