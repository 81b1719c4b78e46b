using System.Runtime.InteropServices;
using Harness.Runtime.Native;

namespace Harness.Runtime;

/// <summary>Told, on the loop that watches a descriptor, that its state has changed.</summary>
public interface IReadinessHandler
{
    /// <summary>
    /// Something can be read or written again, or the other side is gone. Comes once per change: read or write until the call would block
    /// before waiting for the next.
    /// </summary>
    /// <param name="readable">A read will not block: there is data, an end of file, or an error.</param>
    /// <param name="writable">A write will not block.</param>
    void OnReady(bool readable, bool writable);
}

/// <content>Descriptors that the loop watches.</content>
public sealed partial class EventLoop
{
    private const ulong WakeData = ulong.MaxValue;

    private readonly Epoll _epoll = new();
    private readonly List<(IReadinessHandler? Handler, uint Generation)> _handlers = [];
    private readonly Stack<int> _freeHandlers = new();
    private int _watched;

    /// <summary>Watches a descriptor that does not block. To be called on this loop.</summary>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="handler">Told of it.</param>
    /// <param name="writable">
    /// Whether to be told when it can be written again. Of a Unix socket that is each time the other side has read something (af_unix.c,
    /// <c>unix_write_space</c>): who does not wait for it would be woken for nothing.
    /// </param>
    /// <returns>A number for <see cref="Unwatch"/>.</returns>
    public int Watch(SafeHandle descriptor, IReadinessHandler handler, bool writable = true)
    {
        if (!_freeHandlers.TryPop(out int index))
        {
            index = _handlers.Count;
            _handlers.Add(default);
        }

        uint generation = _handlers[index].Generation + 1;
        _handlers[index] = (handler, generation);
        _epoll.Add(descriptor, DataOf(index), writable);
        _watched++;
        return index;
    }

    /// <summary>Sets whether the handler is told when the descriptor can be written again; where it can be now, at once. To be called on this loop.</summary>
    public void WatchWritable(SafeHandle descriptor, int watch, bool writable) => _epoll.Change(descriptor, DataOf(watch), writable);

    /// <summary>Ends <see cref="Watch"/>, before the descriptor is closed; its handler is not called again. To be called on this loop.</summary>
    public void Unwatch(SafeHandle descriptor, int watch)
    {
        _epoll.Remove(descriptor);
        _handlers[watch] = (null, _handlers[watch].Generation);
        _freeHandlers.Push(watch);
        _watched--;
    }

    private ulong DataOf(int watch) => ((ulong)_handlers[watch].Generation << 32) | (uint)watch;

    private void RunHandlers(int happened)
    {
        bool isWakeAlone = happened == 1 && _epoll.Event(0).Data == WakeData;
        if (isWakeAlone)
        {
            DrainWake();
        }
        else if (happened > 0)
        {
            BeginTurn();
            try
            {
                RunHandlers(_epoll, happened);
            }
            finally
            {
                EndTurn();
            }
        }
    }

    private void RunHandlers(Epoll epoll, int happened)
    {
        for (int i = 0; i < happened; i++)
        {
            (uint events, ulong data) = epoll.Event(i);
            if (data != WakeData)
            {
                RunHandler(events, data);
            }
            else if (epoll == _epoll)
            {
                DrainWake();
            }
            else
            {
                // An edge comes once: it was for the loop's own thread.
                Wake();
            }
        }
    }

    private void RunHandler(uint events, ulong data)
    {
        // An event of a descriptor that was closed and followed by another within this very batch tells of nothing to the new one.
        (IReadinessHandler? handler, uint generation) = _handlers[(int)(uint)data];
        if (handler is not null && generation == (uint)(data >> 32))
        {
            bool gone = (events & (Epoll.Error | Epoll.HangUp | Epoll.ReadHangUp)) != 0;
            Invoke(handler, gone || (events & Epoll.In) != 0, gone || (events & Epoll.Out) != 0);
        }
    }

    private void Invoke(IReadinessHandler handler, bool readable, bool writable)
    {
        try
        {
            handler.OnReady(readable, writable);
        }
#pragma warning disable CA1031 // A loop outlives its callbacks' bugs where its owner asked to be told of them.
        catch (Exception exception) when (_onFault is not null)
#pragma warning restore CA1031
        {
            _onFault(exception);
        }
    }

    private unsafe void DrainWake()
    {
        ulong count;
        _ = Libc.Read((int)_wakeFd.DangerousGetHandle(), &count, sizeof(ulong));
    }
}
