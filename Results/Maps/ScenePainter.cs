using ScottPlot;

namespace Harness.Results.Maps;

/// <summary>Paints a scene with ScottPlot: a plot without axes whose coordinates are the scene's pixels.</summary>
internal static class ScenePainter
{
    /// <summary>Pixels of the file per pixel of the scene, so that text stays sharp on dense screens and in print.</summary>
    private const int Density = 2;

    /// <summary>Above this size per side, a picture is painted without the extra density: encoders and viewers have limits too.</summary>
    private const double MaxDenseSize = 8_000;

    static ScenePainter() => InterFont.Register();

    /// <summary>The scene as a PNG file's bytes.</summary>
    public static byte[] Png(Scene scene)
    {
        int density = Math.Max(scene.Width, scene.Height) <= MaxDenseSize ? Density : 1;
        using var plot = new Plot { ScaleFactor = density };
        plot.HideAxesAndGrid();
        plot.Layout.Frameless();
        plot.FigureBackground.Color = Colors.White;
        plot.DataBackground.Color = Colors.White;
        plot.Axes.SetLimits(0, scene.Width, scene.Height, 0);
        foreach (Shape shape in scene.Shapes)
        {
            Add(plot, shape);
        }
        foreach (Label label in scene.Labels)
        {
            Add(plot, label);
        }
        return plot.GetImageBytes((int)scene.Width * density, (int)scene.Height * density, ImageFormat.Png);
    }

    private static void Add(Plot plot, Shape shape)
    {
        var rectangle = plot.Add.Rectangle(shape.Box.Left, shape.Box.Right, shape.Box.Bottom, shape.Box.Top);
        rectangle.FillColor = shape.Fill;
        rectangle.LineColor = shape.Stroke;
        rectangle.LineWidth = shape.StrokeWidth;
    }

    private static void Add(Plot plot, Label label)
    {
        var text = plot.Add.Text(label.Text, label.Box.Left, label.Box.Top + (label.Box.Height / 2));
        text.LabelFontName = InterFont.Name;
        text.LabelFontSize = label.Style.Size;
        text.LabelBold = label.Style.Bold;
        text.LabelFontColor = label.Color;
        text.LabelAlignment = Alignment.MiddleLeft;
        text.LabelStyle.SubpixelText = true;
        text.LabelPadding = 0;
    }
}
