using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;
using Xunit.Abstractions;

namespace Harness.Tests.Experiments.Fuzz;

/// <summary>A failure names its seed: <c>FuzzCampaign.Run(20000, SEED, Console.Out)</c> finds it again, and so does <c>harness fuzz</c>.</summary>
public sealed class FuzzCampaignTests(ITestOutputHelper output)
{
    private const int Messages = 10_000;

    [Fact]
    public void NoMessageBreaksASession()
    {
        foreach (ulong seed in new[] { 1UL, (ulong)Environment.TickCount64 })
        {
            FuzzReport report = FuzzCampaign.Run(Messages, seed, TextWriter.Null);
            output.WriteLine(report.ToString());
            Assert.True(report.Failure is null, report.ToString());
            Assert.InRange(report.Counts.Messages, Messages, Messages + 100);
        }
    }

    [Fact]
    public void TheCampaignReachesWhatItIsMeantFor()
    {
        FuzzCounts counts = FuzzCampaign.Run(Messages, 2, TextWriter.Null).Counts;
        Assert.InRange(counts.Refused, Messages / 20, Messages * 3 / 4);
        Assert.InRange(counts.Calls, Messages / 4, Messages * 2);
        Assert.InRange(counts.Waits, Messages / 20, Messages);
        Assert.InRange(counts.Faults, Messages / 50, Messages);
        Assert.InRange(counts.Replies - counts.Errors, Messages / 20, Messages);
        Assert.InRange(counts.NotMessages, 1, Messages / 4);
    }

    [Fact]
    public void TheSameSeedRunsTheSameCampaign()
    {
        FuzzReport report = FuzzCampaign.Run(500, 3, TextWriter.Null);
        Assert.Equal(report, FuzzCampaign.Run(500, 3, TextWriter.Null));
        Assert.NotEqual(report.Counts, FuzzCampaign.Run(500, 4, TextWriter.Null).Counts);
    }

    [Fact]
    public void ARequestThatIsNotAnsweredIsFound() => AssertFound(
        request => request.Header.Opcode == Opcode.Getattr ? null : request, "Getattr was answered 0 times and ended 0 times");

    [Fact]
    public void AReplyThatTheKernelWouldRefuseIsFound() => AssertFound(
        request =>
        {
            if (request.Header.Opcode != Opcode.Statfs)
            {
                return request;
            }

            request.Reply(new EntryOut());
            return null;
        },
        "Statfs was answered 0 with 128 bytes, where the kernel takes 80 to 80");

    [Fact]
    public void AMessageWithoutReplyThatIsAnsweredIsFound() => AssertFound(
        request =>
        {
            if (request.Header.Opcode != Opcode.Forget)
            {
                return request;
            }

            request.Reply(Errno.EIO);
            return null;
        },
        "Forget was answered 1 times and ended 0 times");

    [Fact]
    public void AWriteBeforeABufferIsFound() => AssertFound(
        request =>
        {
            ref byte first = ref MemoryMarshal.GetReference(request.ReplyBuffer.Span);
            Unsafe.Subtract(ref first, 100) ^= 1;
            return request;
        },
        "memory outside of the buffers");

    [Fact]
    public void AnExceptionThatLeavesTheHandlerIsFound()
    {
        Exception exception = Assert.Throws<InvalidOperationException>(() => Run(request =>
        {
            request.Reply(Errno.EIO);
            request.Reply(Errno.EIO);
            return null;
        }));
        Assert.Contains("seed 5, script 0 threw", exception.Message);
        Assert.Contains("answered twice", exception.Message);
    }

    [Fact]
    public void AFailureIsShrunkToWhatItNeeds()
    {
        FuzzReport report = Run(request => request.Header.Opcode == Opcode.Getattr ? null : request);
        Assert.Contains(" 1 messages\n", report.Failure);
    }

    private static void AssertFound(Func<FuseRequest, FuseRequest?> before, string failure)
    {
        FuzzReport report = Run(before);
        Assert.Contains(failure, report.Failure);
        Assert.Contains("seed 5", report.ToString());
    }

    private static FuzzReport Run(Func<FuseRequest, FuseRequest?> before) => FuzzCampaign.Run(
        Messages, 5, TextWriter.Null, (files, observer) => new Saboteur(new FuseSession(files, new SessionOptions(), observer), before));

    /// <summary>Does something wrong to requests before a session gets them, or keeps them from it.</summary>
    private sealed class Saboteur(FuseSession session, Func<FuseRequest, FuseRequest?> before) : IRequestHandler
    {
        public IAnswerSource? Answers => session.Answers;

        public void Handle(FuseRequest request)
        {
            if (before(request) is FuseRequest left)
            {
                session.Handle(left);
            }
        }
    }
}
