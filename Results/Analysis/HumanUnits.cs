using System.Globalization;

namespace Harness.Results.Analysis;

/// <summary>Numbers for people: three significant digits and the unit that keeps them short. Files keep the exact values.</summary>
internal static class HumanUnits
{
    private const int MaxDecimals = 9;

    private static readonly string[] BytesPerSecondUnits = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"];
    private static readonly string[] IopsUnits = ["IOPS", "K IOPS", "M IOPS"];
    private static readonly string[] MicrosUnits = ["µs", "ms", "s"];

    /// <summary>As <c>1.9 GB/s</c>; decimal units, 1 MB = 10⁶ bytes.</summary>
    public static string BytesPerSecond(double value) => Scaled(value, BytesPerSecondUnits);

    /// <summary>As <c>98.1 K IOPS</c>.</summary>
    public static string Iops(double value) => Scaled(value, IopsUnits);

    /// <summary>As <c>412 µs</c>.</summary>
    public static string Micros(double value) => Scaled(value, MicrosUnits);

    /// <summary>As <c>×1.32</c>.</summary>
    public static string Ratio(double value) => "×" + RatioDigits(value);

    /// <summary>Two decimals near 1, where they matter; three significant digits above 10, two below 0.1.</summary>
    public static string RatioDigits(double value)
    {
        int decimals = value is > 0 and < 0.0995 ? Math.Min(1 - (int)Math.Floor(Math.Log10(value)), MaxDecimals) : 2;
        return value < 1 ? value.ToString($"F{decimals}", CultureInfo.InvariantCulture) : ThreeDigits(value);
    }

    private static string Scaled(double value, string[] units)
    {
        int unit = 0;
        // 999.5 would be printed with four digits as 1000, so it already belongs to the next unit.
        while (Math.Abs(value) >= 999.5 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }
        return $"{ThreeDigits(value)} {units[unit]}";
    }

    private static string ThreeDigits(double value) =>
        value.ToString(Math.Abs(value) switch { < 9.995 => "0.00", < 99.95 => "0.0", _ => "0" }, CultureInfo.InvariantCulture);
}
