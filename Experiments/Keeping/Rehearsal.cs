using System.Reflection;
using System.Runtime.CompilerServices;
using Harness.Experiments.Backends;
using Harness.Experiments.Mounting;
using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Keeping;

/// <summary>
/// Has the code compiled that a daemon needs to take over, on a thread that yields to everything else, while nobody waits for it: done when it is
/// called, that is half of what a take-over costs (docs/handover.md).
/// </summary>
internal sealed class Rehearsal : IDisposable
{
    private const int NiceMax = 19;

    private static readonly Type[] s_rooms = [typeof(FuseSession), typeof(DevFuseChannel), typeof(EventLoop), typeof(KeptDaemon)];

    /// <summary>What of this program itself a daemon is made of.</summary>
    private static readonly string[] s_own = [typeof(KeptDaemon).Namespace!, typeof(BackendFactory).Namespace!, typeof(MountSpec).Namespace!];

    private volatile bool _hasEnded;

    /// <summary>Begins.</summary>
    public Rehearsal() => new Thread(Run) { IsBackground = true, Name = "rehearsal" }.Start();

    /// <summary>Stops where it is: what is missing is compiled when it is needed.</summary>
    public void End() => _hasEnded = true;

    /// <inheritdoc/>
    public void Dispose() => End();

    private static bool IsNeeded(Type type) =>
        !type.ContainsGenericParameters &&
        (type.Assembly != typeof(Rehearsal).Assembly || s_own.Any(own => type.Namespace?.StartsWith(own, StringComparison.Ordinal) == true));

    private void Run()
    {
        const BindingFlags All =
            BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        Libc.SetThreadNice(NiceMax);
        foreach (Type type in s_rooms.SelectMany(room => room.Assembly.GetTypes()).Where(IsNeeded))
        {
            foreach (MethodBase method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
            {
                if (_hasEnded)
                {
                    return;
                }

                // Methods of libc and of the runtime have no body.
                if (!method.ContainsGenericParameters && method.GetMethodBody() is not null)
                {
                    RuntimeHelpers.PrepareMethod(method.MethodHandle);
                }
            }
        }
    }
}
