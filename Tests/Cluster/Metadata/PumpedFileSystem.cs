using System.Reflection;
using Harness.FuseProtocol;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Cluster.Metadata;

/// <summary>A file system in a simulated world as the thread outside sees it: each call runs the world until it has ended.</summary>
/// <remarks>A call that has not ended after some virtual time waits for another one, and is returned as it is.</remarks>
public class PumpedFileSystem : DispatchProxy
{
    private const long PatienceNanoseconds = 120_000_000_000;
    private const long LockPatienceNanoseconds = 1_000_000_000;
    private const long SettleNanoseconds = 50_000_000;

    private static readonly MethodInfo s_pump = typeof(PumpedFileSystem).GetMethod(nameof(Pump), BindingFlags.Instance | BindingFlags.NonPublic)!;

    private IFileSystem _fileSystem = null!;
    private SimScheduler _world = null!;

    public static IFileSystem Of(IFileSystem fileSystem, SimScheduler world)
    {
        IFileSystem proxy = Create<IFileSystem, PumpedFileSystem>();
        ((PumpedFileSystem)(object)proxy)._fileSystem = fileSystem;
        ((PumpedFileSystem)(object)proxy)._world = world;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        object? result = targetMethod!.Invoke(_fileSystem, args);
        Type type = targetMethod.ReturnType;
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>))
        {
            long patience = targetMethod.Name == nameof(IFileSystem.Setlk) ? LockPatienceNanoseconds : PatienceNanoseconds;
            bool settles = targetMethod.Name is nameof(IFileSystem.Setlk) or nameof(IFileSystem.Flush) or nameof(IFileSystem.Release);
            return s_pump.MakeGenericMethod(type.GetGenericArguments()).Invoke(this, [result, patience, settles]);
        }

        _world.RunUntil(_world.NowNanoseconds + SettleNanoseconds);
        return result;
    }

    private ValueTask<T> Pump<T>(ValueTask<T> call, long patience, bool settles)
    {
        Task<T> task = call.AsTask();
        long until = _world.NowNanoseconds + patience;
        while (!task.IsCompleted && _world.NowNanoseconds < until)
        {
            try
            {
                _world.RunUntil(() => task.IsCompleted, "the end of a request", until);
            }
            catch (DeadlockException)
            {
                return new ValueTask<T>(task);
            }
        }

        if (settles)
        {
            // Somebody else's wait for a lock may have ended with this.
            _world.RunUntil(_world.NowNanoseconds + SettleNanoseconds);
        }

        return new ValueTask<T>(task);
    }
}
