using FsCheck;
using FsCheck.Fluent;
using Harness.Simulation.Chance;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>
/// A thread whose work is done before anything else happens goes on without having been suspended, and everything is as if it had been.
/// </summary>
public sealed class RunAheadTests
{
    private const long Work = 100;

    private readonly List<string> _order = [];
    private SimScheduler _world = new();

    [Theory]
    [InlineData(Work - 1, false)]
    [InlineData(Work, false)]
    [InlineData(Work + 1, true)]
    public void AThreadOvertakesNoEventThatIsDueUntilItsWorkIsDone(long due, bool runsAhead)
    {
        _world.Schedule(due, EventKind.None, 0, _ => Note("event"), null);
        Assert.Equal(runsAhead, RunsAhead());
        string[] inOrder = [$"event at {due}", $"work at {Work}"];
        Assert.Equal(runsAhead ? inOrder.Reverse() : inOrder, _order);
    }

    [Fact]
    public void ACancelledEventKeepsNobody()
    {
        EventHandle cancelled = _world.Schedule(1, EventKind.None, 0, _ => Assert.Fail("it was cancelled"), null);
        _world.Cancel(cancelled);
        Assert.True(RunsAhead());
    }

    [Theory]
    [InlineData(Work - 1, 0)]
    [InlineData(Work, 1)]
    [InlineData((3 * Work) - 1, 2)]
    [InlineData(3 * Work, 3)]
    public void NobodyRunsBeyondTheEndOfTheRun(long end, int steps)
    {
        int done = 0;
        StartSteps(() => done++);
        _world.RunUntil(end);
        Assert.Equal((end, steps), (_world.NowNanoseconds, done));
    }

    [Fact]
    public void NobodyRunsOnWhenWhatTheRunWaitsForHasHappened()
    {
        int done = 0;
        StartSteps(() => done++);
        _world.RunUntil(() => done == 3, "the third step");
        Assert.Equal((3 * Work, 3), (_world.NowNanoseconds, done));
    }

    [Theory]
    [InlineData(false, TestMachines.Slice)]
    [InlineData(true, 3 * TestMachines.Slice)]
    public void AThreadForWhoseCpuAnotherWaitsMakesWayWhenItsSliceIsOver(bool inKernel, long othersTurn)
    {
        var machine = new Machine(_world, TestMachines.Free1Node(1));
        bool? ranAhead = null;
        machine.StartThread("first", async thread =>
        {
            if (inKernel)
            {
                thread.EnterKernel();
            }

            ValueTask work = thread.Compute(3 * TestMachines.Slice);
            ranAhead = work.IsCompleted;
            await work;
            await thread.LeaveKernel();
        });
        machine.StartThread("other", async thread =>
        {
            Note("other");
            await thread.Compute(1);
        });
        _world.RunUntilIdle();
        Assert.Equal(inKernel, ranAhead);
        Assert.Equal([$"other at {othersTurn}"], _order);
    }

    [Theory]
    [InlineData(TieBreak.Sequence, true)]
    [InlineData(TieBreak.Seed, false)]
    public void WhereTheSeedOrdersWhatIsDueTogetherEveryEventIsDrawn(TieBreak ties, bool runsAhead)
    {
        _world = new SimScheduler(new SimSchedulerOptions { Ties = ties });
        Assert.Equal(runsAhead, RunsAhead());
    }

    [Fact]
    public void WhoeverHasNothingElseToWaitForHearsOfAForeignThreadAllTheSame()
    {
        int done = 0;
        StartSteps(() =>
        {
            if (++done == 1)
            {
                var foreign = new Thread(() => Record.Exception(() => _world.Schedule(0, EventKind.None, 0, _ => { }, null)));
                foreign.Start();
                foreign.Join();
            }
        });
        Assert.Throws<ForeignThreadException>(_world.RunUntilIdle);
        Assert.Equal(1, done);
    }

    /// <summary>Where each run ends with the next nanosecond, nobody can run ahead: the same world then, event by event.</summary>
    [Fact]
    public void AWorldInWhichThreadsRunAheadIsTheSameAsOneInWhichNobodyDoes()
    {
        int ahead = 0;
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll<DoNotSize<ulong>>(seed =>
        {
            var running = new RandomProgram(seed.Item);
            running.World.RunUntilIdle();
            ahead += running.Ahead;

            var stepping = new RandomProgram(seed.Item);
            stepping.World.RunUntil(0);
            while (stepping.World.EventsPending > 0)
            {
                stepping.World.RunUntil(stepping.World.NowNanoseconds + 1);
            }

            Assert.Equal(0, stepping.Ahead);
            Assert.Equal(stepping.Story, running.Story);
            Assert.Equal((stepping.World.EventsRun, stepping.World.TraceHash), (running.World.EventsRun, running.World.TraceHash));
        }));
        Assert.InRange(ahead, 1000, int.MaxValue);
    }

    /// <summary>Whether a thread goes on at once from work that it asks for at time 0, on a machine on which nothing else runs.</summary>
    private bool RunsAhead()
    {
        bool? ranAhead = null;
        new Machine(_world, TestMachines.Free1Node(1)).StartThread("worker", async thread =>
        {
            ValueTask work = thread.Compute(Work);
            ranAhead = work.IsCompleted;
            await work;
            Note("work");
        });
        _world.RunUntilIdle();
        return ranAhead!.Value;
    }

    private void StartSteps(Action step) => new Machine(_world, TestMachines.Free1Node(1)).StartThread("worker", async thread =>
    {
        for (int i = 0; i < 5; i++)
        {
            await thread.Compute(Work);
            step();
        }
    });

    private void Note(string what) => _order.Add($"{what} at {_world.NowNanoseconds}");

    /// <summary>
    /// A few threads and timers that do random things for so few nanoseconds each that much is due together; the seed is all there is to it.
    /// </summary>
    private sealed class RandomProgram
    {
        private const int Moment = 12;
        private const int Steps = 20;

        private readonly SimWaitQueue _queue = new("anything");
        private readonly SimSpinLock _spin;
        private readonly SimMutex _mutex;

        public RandomProgram(ulong seed)
        {
            World = new SimScheduler(new SimSchedulerOptions { Seed = seed });
            SimRandom random = World.Random.Split("program");
            var machine = new Machine(World, TestMachines.Free1Node(random.Next(1, 4), costs => costs with
            {
                ContextSwitch = TestMachines.Ns(random.Next(Moment)),
                TimeSlice = TestMachines.Ns(random.Next(1, 5 * Moment)),
                WakePreemptsAfter = TestMachines.Ns(random.Next(Moment)),
                WakeSameCpu = TestMachines.Ns(random.Next(Moment)),
                IdleExitShallow = TestMachines.Ns(random.Next(Moment)),
                HandOverSameNode = TestMachines.Ns(random.Next(Moment)),
                MutexSpin = TestMachines.Ns(random.Next(Moment)),
            }));
            (_spin, _mutex) = (new SimSpinLock(machine, "spin"), new SimMutex(machine, "mutex"));
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                SimRandom own = random.Split("thread", i);
                machine.StartThread($"thread {i}", async thread =>
                {
                    for (int step = 0; step < Steps; step++)
                    {
                        await Step(thread, own);
                        Story.Add($"{World.NowNanoseconds} {thread.Name}");
                    }
                });
            }

            for (int i = random.Next(Steps); i > 0; i--)
            {
                World.Schedule(random.Next(Steps * Moment), EventKind.None, 0, _ => Story.Add($"{World.NowNanoseconds} timer"), null);
            }
        }

        public SimScheduler World { get; }

        /// <summary>What happened, and when.</summary>
        public List<string> Story { get; } = [];

        /// <summary>How often a thread did not have to be suspended for what takes time.</summary>
        public int Ahead { get; private set; }

        private async ValueTask Step(SimThread thread, SimRandom own)
        {
            switch (own.Next(8))
            {
                case 0:
                    await thread.Sleep(own.Next(Moment));
                    break;
                case 1:
                    await thread.Yield();
                    break;
                case 2:
                    await _spin.Acquire(thread);
                    await Compute(thread, own);
                    _spin.Release(thread);
                    break;
                case 3:
                    await _mutex.Acquire(thread);
                    await Compute(thread, own);
                    await _mutex.Release(thread);
                    break;
                case 4:
                    await _queue.WaitUntil(thread, World.NowNanoseconds + own.Next(Moment));
                    break;
                case 5:
                    await _queue.WakeOne(thread);
                    break;
                case 6:
                    thread.EnterKernel();
                    thread.Charge(own.Next(Moment));
                    await Compute(thread, own);
                    await thread.LeaveKernel();
                    break;
                default:
                    await Compute(thread, own);
                    break;
            }
        }

        private ValueTask Compute(SimThread thread, SimRandom own)
        {
            ValueTask work = thread.Compute(own.Next(1, Moment));
            Ahead += work.IsCompleted ? 1 : 0;
            return work;
        }
    }
}
