namespace Harness.Transport;

/// <summary>This machine, or its kernel, cannot do what was asked. The message says what was wrong and what to do about it.</summary>
public sealed class FuseTransportException : Exception
{
    /// <summary>An error with nothing to say; for serializers.</summary>
    public FuseTransportException()
    {
    }

    /// <summary>An error that says what was wrong and what to do.</summary>
    public FuseTransportException(string message)
        : base(message)
    {
    }

    /// <summary>An error that says what was wrong and what to do, and what lies under it.</summary>
    public FuseTransportException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
