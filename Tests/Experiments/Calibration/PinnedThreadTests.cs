using Harness.Experiments.Calibration;
using Harness.Runtime;
using Harness.Transport;

namespace Harness.Tests.Experiments.Calibration;

/// <summary>Threads that help to measure: where they are, when they end, and what becomes of what they throw.</summary>
public sealed class PinnedThreadTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly int s_cpu = Topology.Current.Online.Numbers.First();

    [Fact]
    public void AThreadThatCannotBeWhereItIsToBeIsRefusedAtItsStart()
    {
        bool ran = false;
        Assert.Throws<FuseTransportException>(() => PinnedThread.Start(CpuSet.NumberMax, () => ran = true));
        Assert.False(ran);
    }

    [Fact]
    public void AThreadIsOnItsCpuWhenItsBodyBegins()
    {
        CpuSet? allowed = null;
        PinnedThread.Start(s_cpu, () => allowed = ThreadPlacement.Allowed()).Join();
        Assert.Equal(new CpuSet([s_cpu]), allowed);
    }

    [Fact]
    public void WhatAThreadThrowsIsThrownToWhoeverJoinsIt()
    {
        using var thread = PinnedThread.Start(null, () => throw new InvalidDataException("the thread's"));
        Assert.Equal("the thread's", Assert.Throws<InvalidDataException>(thread.Join).Message);
    }

    [Fact]
    public void AnActionIsRepeatedUntilTheMeasurementIsOver()
    {
        int repeated = 0;
        int during = PinnedThread.RepeatDuring(s_cpu, () => Interlocked.Increment(ref repeated), () =>
        {
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref repeated) > 2, s_limit));
            return Volatile.Read(ref repeated);
        });
        Assert.InRange(during, 3, repeated);
    }

    [Fact]
    public void WhatARepeatedActionThrowsIsThrownWhenTheMeasurementIsOver()
    {
        using var failing = new Failing();
        bool measured = false;
        Assert.Throws<InvalidDataException>(() => PinnedThread.RepeatDuring(s_cpu, failing.Fail, () => measured = failing.Await()));
        Assert.True(measured);
    }

    [Fact]
    public void WhatTheMeasurementThrowsIsNotHiddenByWhatTheActionThrows()
    {
        using var failing = new Failing();
        Assert.Throws<OperationCanceledException>(() => PinnedThread.RepeatDuring(
            s_cpu, failing.Fail, () => failing.Await() ? throw new OperationCanceledException("the measurement's") : false));
    }

    [Fact]
    public void APartnerAnswersEachRingAndEndsWhenItIsDisposedOf()
    {
        int answers = 0;
        Thread? partnersThread = null;
        using (var partner = new BellPartner(s_cpu, () => (answers, partnersThread) = (answers + 1, Thread.CurrentThread)))
        {
            partner.Round();
            Assert.Equal(1, answers);
            partner.Round();
            Assert.Equal(2, answers);
            Assert.True(partnersThread!.IsAlive);
        }

        Assert.False(partnersThread.IsAlive);
        Assert.Equal(2, answers);
    }

    [Fact]
    public async Task WhatAPartnersWorkThrowsIsThrownWhereItsAnswerIsAwaited()
    {
        using var partner = new BellPartner(s_cpu, () => throw new InvalidDataException("the work's"));
        InvalidDataException failure = await Assert.ThrowsAsync<InvalidDataException>(() => Task.Run(partner.Round).WaitAsync(s_limit));
        Assert.Equal("the work's", failure.Message);
    }

    [Fact]
    public void ABenchmarksOwnFailureIsNotHiddenByItsPartners()
    {
        using var failing = new Failing();
        Action benchmark = () =>
        {
            using var partner = new BellPartner(s_cpu, failing.Fail);
            partner.Ring();
            Assert.True(failing.Await());
            throw new OperationCanceledException("the benchmark's");
        };
        Assert.Throws<OperationCanceledException>(benchmark);
    }

    /// <summary>Work that fails, and by which one knows when it has come so far.</summary>
    private sealed class Failing : IDisposable
    {
        private readonly ManualResetEventSlim _came = new();

        public void Fail()
        {
            _came.Set();
            throw new InvalidDataException("the work's");
        }

        public bool Await() => _came.Wait(s_limit);

        public void Dispose() => _came.Dispose();
    }
}
