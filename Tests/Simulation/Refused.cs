namespace Harness.Tests.Simulation;

/// <summary>Asserts that something is refused, and that the message says why.</summary>
static class Refused
{
    public static TException With<TException>(Action act, string says)
        where TException : Exception
    {
        TException refusal = Assert.Throws<TException>(act);
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        return refusal;
    }
}
