using System.ComponentModel;
using Harness.Runtime.Native;

namespace Harness.Experiments.Calibration;

/// <summary>An eventfd(2), by which one thread wakes another.</summary>
internal sealed class Bell : IDisposable
{
    private const int EfdCloexec = 0x80000;
    private const int WordBytes = 8;

    // What is written, and behind it where what is read goes.
    private readonly NativeBuffer _word = new(2 * WordBytes);
    private readonly int _fd;

    /// <summary>One that has not been rung.</summary>
    /// <param name="isInherited">Whether processes that are started from now on have it, too, as the descriptor of the same number.</param>
    /// <exception cref="Win32Exception">The process has no descriptor left.</exception>
    public Bell(bool isInherited = false)
    {
        _fd = Libc.EventFd(0, isInherited ? 0 : EfdCloexec);
        if (_fd < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, "eventfd failed");
        }

        _word.GetSpan()[0] = 1;
    }

    /// <summary>Its descriptor.</summary>
    public int Descriptor => _fd;

    /// <summary>Wakes whoever waits, or will wait.</summary>
    public void Ring() => Libc.Syscall(Conformance.SystemCall.Write, _fd, _word.Address, WordBytes, 0, 0, 0);

    /// <summary>Waits until it has been rung since the last time.</summary>
    public void Await() => Libc.Syscall(Conformance.SystemCall.Read, _fd, _word.Address + WordBytes, WordBytes, 0, 0, 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        Libc.Close(_fd);
        ((IDisposable)_word).Dispose();
    }
}
