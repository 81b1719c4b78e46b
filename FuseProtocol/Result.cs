using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>A value, or the errno that explains why there is none. Made by conversion from either.</summary>
/// <typeparam name="T">The value of success.</typeparam>
public readonly struct Result<T>
{
    internal Result(Errno error, T value)
    {
        Error = error;
        Value = value;
    }

    /// <summary><see cref="Errnos.Ok"/>, or why there is no value.</summary>
    public Errno Error { get; }

    /// <summary>The value; meaningless unless <see cref="IsOk"/>.</summary>
    public T Value { get; }

    /// <summary>Whether there is a value.</summary>
    public bool IsOk => Error == Errnos.Ok;

    /// <summary>Success.</summary>
    public static implicit operator Result<T>(T value) => new(Errnos.Ok, value);

    /// <summary>Failure; <paramref name="error"/> must not be <see cref="Errnos.Ok"/>.</summary>
    public static implicit operator Result<T>(Errno error) => new(error, default!);
}

/// <summary>Results of types that the language allows no conversion from: interfaces.</summary>
public static class Results
{
    /// <summary>Success.</summary>
    public static Result<T> Of<T>(T value) => new(Errnos.Ok, value);
}

/// <summary>What <see cref="Errno"/> has no name for.</summary>
public static class Errnos
{
    /// <summary>No error.</summary>
    public const Errno Ok = 0;

    /// <summary>ENOTSUP, which Linux gives the number of EOPNOTSUPP.</summary>
    public const Errno NotSupported = Errno.EOPNOTSUPP;
}
