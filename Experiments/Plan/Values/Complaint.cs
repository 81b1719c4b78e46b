namespace Harness.Experiments.Plan.Values;

/// <summary>Joins the two halves of a message: what is wrong, and what is allowed.</summary>
internal static class Complaint
{
    public static string Allowing(string complaint, string allowed) =>
        complaint + (complaint.EndsWith('?') ? " Allowed: " : "; allowed: ") + allowed;
}
