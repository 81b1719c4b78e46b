namespace Harness.Experiments.Plan;

/// <summary>One thing that is wrong with a plan, for a person to mend.</summary>
/// <param name="File">The path as the user gave it.</param>
/// <param name="Line">From 1; 0 if the error concerns the file as a whole.</param>
/// <param name="Column">From 1, in UTF-16 characters; 0 if the error concerns the file as a whole.</param>
/// <param name="Message">What is wrong, what is allowed, and the nearest known name where there is one.</param>
internal sealed record PlanError(string File, int Line, int Column, string Message)
{
    /// <summary>The form that editors and compilers share: <c>file:line:column: message</c>.</summary>
    public override string ToString() => Line == 0 ? $"{File}: {Message}" : $"{File}:{Line}:{Column}: {Message}";
}
