using Harness.Runtime;

namespace Harness.Tests.Runtime;

public sealed class CpuSetTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("0\n", "0")]
    [InlineData("0-3,8,10-11", "0-3,8,10-11")]
    [InlineData("3,1,2", "1-3")]
    [InlineData("63-64", "63-64")]
    public void ListIsReadAndWrittenAsTheKernelDoes(string text, string canonical)
    {
        var set = CpuSet.Parse(text);
        Assert.Equal(canonical, set.ToString());
        Assert.Equal(set, CpuSet.FromMask(set.ToMask()));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("3-1")]
    [InlineData("1-2-3")]
    [InlineData("-1")]
    [InlineData("99999999")]
    public void WhatIsNoListIsRefused(string text) => Assert.Throws<FormatException>(() => CpuSet.Parse(text));
}
