namespace Harness.Cluster;

/// <summary>Where a node tells of its life: what happens seldom and matters to whoever runs it, nothing of single requests. Any thread.</summary>
internal interface INodeLog
{
    /// <summary>Tells of an event.</summary>
    /// <param name="isProblem">Whether somebody should look.</param>
    /// <param name="what">The event, always in the same words.</param>
    /// <param name="fields">What it is about.</param>
    void Write(bool isProblem, string what, params ReadOnlySpan<(string Name, object Value)> fields);
}

/// <summary>Tells nobody.</summary>
internal sealed class NoLog : INodeLog
{
    /// <summary>The only one.</summary>
    public static NoLog Instance { get; } = new();

    /// <inheritdoc/>
    public void Write(bool isProblem, string what, params ReadOnlySpan<(string Name, object Value)> fields)
    {
    }
}
