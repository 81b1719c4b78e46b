using FsCheck;
using FsCheck.Fluent;
using Harness.Simulation.Chance;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>What must hold on any machine, whatever its threads do: checked after every event of random programs.</summary>
public sealed class MachinePropertyTests
{
    [Fact]
    public void NoRandomProgramBreaksAnInvariant() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(8000),
        Prop.ForAll<DoNotSize<ulong>>(seed => new RandomProgram(seed.Item, TieBreak.Sequence).Run()));

    [Fact]
    public void NoRandomProgramBreaksAnInvariantInAnyInterleaving() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(8000),
        Prop.ForAll<DoNotSize<ulong>>(seed => new RandomProgram(seed.Item, TieBreak.Seed).Run()));

    [Fact]
    public void KillingThreadsAtAnyTimeLeavesTheOthersToFinish() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(8000),
        Prop.ForAll<DoNotSize<ulong>>(seed => new RandomProgram(seed.Item, TieBreak.Seed, kills: true).Run()));

    /// <summary>
    /// A random machine with random threads; the seed is all there is to it, so FsCheck's report of it replays the failure.
    /// </summary>
    sealed class RandomProgram
    {
        readonly SimScheduler world;
        readonly SimRandom random;
        readonly Machine machine;
        readonly SimSpinLock[] spins;
        readonly SimMutex[] mutexes;
        readonly SimRwLock[] rwLocks;
        readonly SimWaitQueue queue = new("anything");
        readonly HashSet<object> held = [];
        readonly Dictionary<SimRwLock, int> readers = [];
        readonly List<SimThread> all = [];
        readonly bool kills;

        public RandomProgram(ulong seed, TieBreak ties, bool kills = false)
        {
            this.kills = kills;
            world = new SimScheduler(new SimSchedulerOptions { Seed = seed, Ties = ties });
            random = world.Random.Split("program");
            int[] nodes = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(1, 5))];
            machine = new Machine(world, TestMachines.Of(nodes, RandomCosts));
            spins = [.. Enumerable.Range(0, 2).Select(i => new SimSpinLock(machine, $"spin {i}"))];
            mutexes = [.. Enumerable.Range(0, 2).Select(i => new SimMutex(machine, $"mutex {i}"))];
            rwLocks = [.. Enumerable.Range(0, 2).Select(i => new SimRwLock(machine, $"rw {i}"))];
        }

        public void Run()
        {
            int threads = random.Next(1, 12);
            for (int i = 0; i < threads; i++)
            {
                SimRandom own = random.Split("thread", i);
                IEnumerable<int> some = Enumerable.Range(0, machine.Cpus.Count).Where(_ => own.Chance(0.4));
                CpuSet affinity = own.Chance(0.5) ? machine.AllCpus : CpuSet.Of([.. some, own.Next(machine.Cpus.Count)]);
                SimThread started = machine.StartThread($"t{i}", thread => Program(thread, own), affinity);
                all.Add(started);
                if (kills && own.Chance(0.5))
                {
                    world.Schedule(own.Next(300_000), EventKind.None, 0, _ => started.Kill(), null);
                }
            }
            world.RunUntil(Holds, "all threads have ended");
            long charged = all.Sum(thread => thread.WorkNanoseconds + thread.SpinNanoseconds);
            long busy = machine.Cpus.Sum(cpu => cpu.BusyNanoseconds), switches = machine.Cpus.Sum(cpu => cpu.SwitchNanoseconds);
            Assert.InRange(busy, kills ? 0 : charged + switches, charged + switches);
            Assert.All(rwLocks, rwLock => Assert.True(rwLock is { Owner: null, Readers: 0, Waiters: 0 }));
            Assert.All(mutexes, mutex => Assert.True(mutex is { Owner: null, Waiters: 0 }));
            Assert.All(spins, spin => Assert.True(spin is { Owner: null, Waiters: 0 }));
            Assert.All(machine.Cpus, cpu => Assert.InRange(cpu.BusyNanoseconds, 0, world.NowNanoseconds));
            Assert.All(all, thread => Assert.True(thread.IsDone));
        }

        CostModel RandomCosts(CostModel costs)
        {
            Cost Any(int most) => TestMachines.Ns(random.Next(most));
            return costs with
            {
                ContextSwitch = Any(500),
                TimeSlice = TestMachines.Ns(random.Next(1, 20_000)),
                WakePreemptsAfter = Any(10_000),
                WakeSameCpu = Any(300),
                WakeOtherNode = Any(900),
                InterruptSend = Any(300),
                InterruptSameNode = Any(300),
                IdleExitShallow = Any(1000),
                IdleExitDeep = Any(5000),
                IdleDeepAfter = Any(5000),
                LockSameNode = Any(100),
                HandOverOtherNode = Any(300),
                HandOverPerWaiter = Any(20),
                MutexSpin = Any(3000),
            };
        }

        async ValueTask Program(SimThread thread, SimRandom own)
        {
            int steps = own.Next(1, 25);
            for (int i = 0; i < steps; i++)
            {
                await Step(thread, own);
            }
            await queue.WakeAll(thread);
        }

        async ValueTask Step(SimThread thread, SimRandom own)
        {
            switch (own.Next(10))
            {
                case 0:
                    await thread.Compute(own.Next(30_000));
                    break;
                case 1:
                    await Critical(thread, spins[own.Next(spins.Length)], own.Next(2000));
                    break;
                case 2:
                    await Critical(thread, mutexes[own.Next(mutexes.Length)], own.Next(20_000), sleeps: own.Chance(0.2));
                    break;
                case 3:
                    await thread.Copy(own.Next(300_000), own.Next(machine.Nodes.Count), own.Next(machine.Nodes.Count));
                    break;
                case 4:
                    await thread.Sleep(own.Next(30_000));
                    break;
                case 5:
                    await thread.Yield();
                    break;
                case 6:
                    thread.Charge(own.Next(100));
                    await queue.WakeOne(thread);
                    break;
                case 7:
                    thread.Charge(own.Next(100));
                    await queue.WaitUntil(thread, world.NowNanoseconds + own.Next(50_000));
                    break;
                case 8:
                    await Critical(thread, rwLocks[own.Next(rwLocks.Length)], own.Next(10_000), own.Chance(0.4));
                    break;
                default:
                    await thread.SetAffinity(CpuSet.Of(own.Next(machine.Cpus.Count), own.Next(machine.Cpus.Count)));
                    break;
            }
        }

        async ValueTask Critical(SimThread thread, SimSpinLock spin, int nanoseconds)
        {
            await spin.Acquire(thread);
            Assert.True(held.Add(spin), $"two threads hold {spin}");
            await thread.Compute(nanoseconds);
            held.Remove(spin);
            spin.Release(thread);
        }

        async ValueTask Critical(SimThread thread, SimMutex mutex, int nanoseconds, bool sleeps)
        {
            await mutex.Acquire(thread);
            Assert.True(held.Add(mutex), $"two threads hold {mutex}");
            await (sleeps ? thread.Sleep(nanoseconds) : thread.Compute(nanoseconds));
            held.Remove(mutex);
            await mutex.Release(thread);
        }

        async ValueTask Critical(SimThread thread, SimRwLock rwLock, int nanoseconds, bool alone)
        {
            await (alone ? rwLock.AcquireAlone(thread) : rwLock.AcquireShared(thread));
            Assert.True(!held.Contains(rwLock) && (!alone || held.Add(rwLock)), $"{rwLock} is held alone and by others");
            readers[rwLock] = readers.GetValueOrDefault(rwLock) + (alone ? 0 : 1);
            Assert.False(alone && readers[rwLock] > 0, $"{rwLock} has a writer beside readers");
            await thread.Sleep(nanoseconds);
            readers[rwLock] -= alone ? 0 : 1;
            held.Remove(alone ? rwLock : this);
            await (alone ? rwLock.ReleaseAlone(thread) : rwLock.ReleaseShared(thread));
        }

        bool Holds()
        {
            foreach (SimCpu cpu in machine.Cpus)
            {
                bool allowed = cpu.Current is not { } current || current.Affinity.Contains(cpu.Id);
                Assert.True(allowed, $"{cpu.Current} runs on {cpu}, where it may not");
                Assert.False(cpu.IsIdle && (cpu.Current is not null || cpu.QueueLength > 0), $"{cpu} is idle with work of its own");
                if (cpu.IsIdle)
                {
                    Assert.DoesNotContain(WaitingBehindOthers(), thread => thread.Affinity.Contains(cpu.Id));
                }
            }
            return machine.Threads.Count == 0;
        }

        IEnumerable<SimThread> WaitingBehindOthers() => machine.Cpus.SelectMany(cpu =>
            Enumerable.Range(0, cpu.QueueLength).Skip(cpu.Current is null ? 1 : 0).Select(i => cpu.RunQueue[i]));
    }
}
