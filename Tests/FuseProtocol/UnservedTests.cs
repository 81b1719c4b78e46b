using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

public sealed class UnservedTests
{
    public static TheoryData<string> Golden => [.. GoldenMessages.All.Select(message => message.Name)];

    [Theory]
    [MemberData(nameof(Golden))]
    public void AFileSystemThatServesNothingAnswersEnosysAndLosesNothing(string name)
    {
        using var channel = new FakeChannel(new FuseSession(new Nothing(), new SessionOptions()), RequestShape.Device);
        GoldenMessage golden = GoldenMessages.All.Single(message => message.Name == name);
        if (golden.Opcode != Opcode.Init)
        {
            channel.Deliver(GoldenMessages.Init.Request);
        }

        FakeRequest request = channel.Deliver(golden.Request);
        Assert.Equal(golden.Reply is null ? (0, 1) : (1, 0), (request.Replies, request.Completions));
        Errno expected = golden.Opcode switch
        {
            // The kernel does not look at the answers of these.
            Opcode.Release or Opcode.Releasedir => Errnos.Ok,
            Opcode.Init or Opcode.Destroy => Errnos.Ok,
            Opcode.Interrupt => Errno.EAGAIN,
            _ => golden.Reply is null ? Errnos.Ok : Errno.ENOSYS,
        };
        Assert.Equal(expected, request.Error);
    }

    private sealed class Nothing : IFileSystem;
}
