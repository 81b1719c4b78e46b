namespace Harness.Experiments.Commands;

/// <summary>An argument is wrong; the message says which, and what is allowed.</summary>
internal sealed class BadArgumentsException(string message) : Exception(message);
