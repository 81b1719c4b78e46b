using Harness.Experiments.Machine;

namespace Harness.Tests.Experiments.Machine;

/// <summary>Which values of a setting need no change.</summary>
public sealed class SystemSettingTests
{
    [Theory]
    [InlineData("Y", "Y", true)]
    [InlineData("Y", "1", true)]
    [InlineData("Y", "N", false)]
    [InlineData("256", "256", true)]
    [InlineData("256", "1024", true)]
    [InlineData("1024", "256", false)]
    [InlineData("256", "unknown", false)]
    public void ALimitThatIsHigherAndASwitchThatIsOnDoAsWell(string wanted, string current, bool isMet) =>
        Assert.Equal(isMet, new SystemSetting("/proc/sys/any", wanted).IsMetBy(current));
}
