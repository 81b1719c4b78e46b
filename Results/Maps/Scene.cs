using ScottPlot;

namespace Harness.Results.Maps;

/// <summary>A rectangle of a picture, in pixels from its top left corner.</summary>
internal readonly record struct Box(double Left, double Top, double Width, double Height)
{
    public double Right => Left + Width;

    public double Bottom => Top + Height;

    /// <summary>The box that is smaller by a margin on every side.</summary>
    public Box Inside(double margin) => new(Left + margin, Top + margin, Width - (2 * margin), Height - (2 * margin));
}

/// <summary>A filled or outlined rectangle.</summary>
/// <param name="Box">Where.</param>
/// <param name="Fill">Its colour, perhaps transparent.</param>
/// <param name="Stroke">Its outline's colour, perhaps transparent.</param>
/// <param name="StrokeWidth">Its outline's width in pixels.</param>
internal sealed record Shape(Box Box, Color Fill, Color Stroke, float StrokeWidth);

/// <summary>One line of text.</summary>
/// <param name="Text">The text, without line breaks.</param>
/// <param name="Box">As wide as the text and as high as a line of it.</param>
/// <param name="Style">Its font.</param>
/// <param name="Color">Its colour.</param>
internal sealed record Label(string Text, Box Box, TextStyle Style, Color Color);

/// <summary>A picture before it is painted: where everything lies is decided here, and can be tested without reading pixels.</summary>
internal sealed class Scene
{
    private readonly List<Shape> shapes = [];
    private readonly List<Label> labels = [];

    /// <summary>In pixels.</summary>
    public double Width { get; set; }

    /// <summary>In pixels.</summary>
    public double Height { get; set; }

    /// <summary>What is painted first, in order.</summary>
    public IReadOnlyList<Shape> Shapes => shapes;

    /// <summary>What is painted over the shapes.</summary>
    public IReadOnlyList<Label> Labels => labels;

    public void Fill(Box box, Color fill, Color stroke) => shapes.Add(new(box, fill, stroke, 1));

    public void Frame(Box box, Color stroke, float width) => shapes.Add(new(box, Colors.Transparent, stroke, width));

    /// <summary>Writes a line of text into a box, in the middle of its height.</summary>
    public void Write(string text, Box box, TextStyle style, Color color, double across = Left)
    {
        double width = style.Width(text);
        double top = box.Top + ((box.Height - style.LineHeight) / 2);
        labels.Add(new(text, new(box.Left + ((box.Width - width) * across), top, width, style.LineHeight), style, color));
    }

    /// <summary>Writes lines of text under each other from the top of a box.</summary>
    public void WriteLines(IEnumerable<string> lines, Box box, TextStyle style, Color color, double across = Left)
    {
        foreach (string line in lines)
        {
            Write(line, box with { Height = style.LineHeight }, style, color, across);
            box = box with { Top = box.Top + style.LineHeight };
        }
    }

    /// <summary>The share of a box's free width that stands left of its text.</summary>
    public const double Left = 0;

    /// <inheritdoc cref="Left"/>
    public const double Middle = 0.5;

    /// <inheritdoc cref="Left"/>
    public const double Right = 1;
}
