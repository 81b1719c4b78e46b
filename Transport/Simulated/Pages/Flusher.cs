using System.Runtime.CompilerServices;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Pages;

/// <summary>
/// The kernel's flusher: writes back what is old, and everything once too much is dirty; writers wait for it at the limit
/// (fs/fs-writeback.c, mm/page-writeback.c).
/// </summary>
/// <remarks>
/// The limits are plain numbers of bytes. The share that Linux gives each device by its recent speed, and the pauses by which it slows
/// writers down before they reach the limit, are not modelled.
/// </remarks>
internal sealed class Flusher(FuseConnection connection, Writeback writeback)
{
    private readonly List<Inode> _dirty = [];
    private readonly SimWaitQueue _work = new("dirty data");
    private SimThread? _thread;

    private bool IsOverBackground => writeback.DirtyBytes > connection.Options.DirtyBackgroundBytes;

    /// <summary>A page of this file has become dirty.</summary>
    public void Dirtied(Inode inode)
    {
        writeback.DirtyBytes += CachePage.Bytes;
        if (!_dirty.Contains(inode))
        {
            _dirty.Add(inode);
        }
    }

    /// <summary>After a write: has the flusher start if much is dirty, and waits if too much is (<c>balance_dirty_pages</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Balance(KernelTask task)
    {
        _thread ??= connection.Machine.StartThread("flusher", Run, isService: true);
        if (IsOverBackground)
        {
            await _work.WakeOne(task.Thread);
        }

        while (writeback.DirtyBytes > connection.Options.DirtyLimitBytes)
        {
            await writeback.Cleaned.Wait(task.Thread);
        }
    }

    private async ValueTask Run(SimThread thread)
    {
        var task = new KernelTask(thread, pid: 0);
        while (true)
        {
            await _work.WaitUntil(thread, connection.Now + connection.Options.FlushIntervalNanoseconds);
            bool all = IsOverBackground;
            for (int i = 0; i < _dirty.Count; i++)
            {
                Inode inode = _dirty[i];
                bool isOld = connection.Now - inode.Pages.DirtySince >= connection.Options.DirtyExpireNanoseconds;
                if (inode.Pages.DirtyPages > 0 && inode.Writers.Count > 0 && (all || isOld))
                {
                    await writeback.Start(task, inode, 0, long.MaxValue);
                }
            }

            _dirty.RemoveAll(static inode => inode.Pages.DirtyPages == 0);
            if (_dirty.Count == 0)
            {
                await _work.Wait(thread);
            }
        }
    }
}
