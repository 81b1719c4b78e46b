using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using ScottPlot;
using SkiaSharp;

namespace Harness.Results.Maps;

/// <summary>
/// The typeface of all maps, Inter, from this assembly's resources, so that a picture looks the same on every machine, those without any
/// font among them.
/// </summary>
internal sealed class InterFont : IFontResolver
{
    /// <summary>The name by which ScottPlot asks for it.</summary>
    public const string Name = "Inter";

    private static readonly Lazy<(SKTypeface Regular, SKTypeface Bold)> Typefaces = new(Load);

    private static readonly Lazy<InterFont> Resolver = new(() =>
    {
        var resolver = new InterFont();
        Fonts.FontResolvers.Insert(0, resolver);
        return resolver;
    });

    /// <summary>Makes ScottPlot know the font; called before the first text of a picture, since ScottPlot remembers what it did not find.</summary>
    public static void Register() => _ = Resolver.Value;

    /// <summary>The typeface in the weight asked for.</summary>
    public static SKTypeface Typeface(bool bold) => bold ? Typefaces.Value.Bold : Typefaces.Value.Regular;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing width) =>
        fontName == Name ? Typeface(weight >= FontWeight.SemiBold) : null;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) =>
        CreateTypeface(fontName, bold ? FontWeight.Bold : FontWeight.Normal, FontSlant.Upright, FontSpacing.Normal);

    private static (SKTypeface Regular, SKTypeface Bold) Load()
    {
        var context = new AssemblyLoadContext(Name, isCollectible: true);
        using Stream carrier = typeof(InterFont).Assembly.GetManifestResourceStream("Avalonia.Fonts.Inter.dll")!;
        Assembly assembly = context.LoadFromStream(carrier);
        using Stream archive = assembly.GetManifestResourceStream("!AvaloniaResources")!;
        Dictionary<string, byte[]> files = ReadArchive(archive);
        context.Unload();
        return (Typeface("Regular"), Typeface("SemiBold"));

        SKTypeface Typeface(string weight) => SKTypeface.FromData(SKData.CreateCopy(files[$"/Assets/Inter-{weight}.ttf"]));
    }

    /// <summary>
    /// Avalonia's archive of resources: the length of the index, the index (a version, a count, then path, offset and size of each file),
    /// and the files, all little-endian (AvaloniaResourcesIndex.cs of Avalonia).
    /// </summary>
    private static Dictionary<string, byte[]> ReadArchive(Stream archive)
    {
        using var reader = new BinaryReader(archive, Encoding.UTF8);
        int start = sizeof(int) + reader.ReadInt32();
        reader.ReadInt32();
        var index = new (string Path, int Offset, int Size)[reader.ReadInt32()];
        foreach (ref var entry in index.AsSpan())
        {
            entry = (reader.ReadString(), reader.ReadInt32(), reader.ReadInt32());
        }
        var files = new Dictionary<string, byte[]>();
        foreach (var (path, offset, size) in index)
        {
            archive.Position = start + offset;
            files[path] = reader.ReadBytes(size);
        }
        return files;
    }
}
