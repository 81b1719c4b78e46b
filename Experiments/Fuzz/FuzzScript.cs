using System.Text;

namespace Harness.Experiments.Fuzz;

/// <summary>How the file system takes a call.</summary>
internal enum FuzzMood
{
    /// <summary>Answers at once.</summary>
    Answer,

    /// <summary>Answers an error at once.</summary>
    Fail,

    /// <summary>Throws.</summary>
    Throw,

    /// <summary>Returns a task that has failed.</summary>
    ThrowInTask,

    /// <summary>Answers when it is told to, or throws when it is interrupted before.</summary>
    Wait,

    /// <summary>Throws when it is told to.</summary>
    WaitAndThrow,

    /// <summary>Says more bytes than it had room for.</summary>
    Overstate,
}

/// <summary>One message, and what is to happen with it.</summary>
/// <param name="Message">The bytes, header and all.</param>
/// <param name="KeepsUnique">Whether its number stays as it is; otherwise it gets the next one, as the kernel's messages do.</param>
/// <param name="Back">If it is an interrupt: of the how-manieth message before it; negative to leave it as it is.</param>
/// <param name="Mood">How the file system takes it.</param>
/// <param name="Chance">Decides what else is open: how much is answered, and who is finished.</param>
/// <param name="Finish">How many of those who wait are finished after it.</param>
internal sealed record FuzzStep(byte[] Message, bool KeepsUnique, int Back, FuzzMood Mood, int Chance, int Finish);

/// <summary>Messages for one session, which <see cref="FuzzRun"/> delivers in order.</summary>
/// <param name="Shape">How its slots are laid out.</param>
/// <param name="Steps">The messages.</param>
internal sealed record FuzzScript(RequestShape Shape, IReadOnlyList<FuzzStep> Steps)
{
    /// <summary>The script in a form that can be read, and pasted into a test.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"{Shape}, {Steps.Count} messages\n");
        foreach (FuzzStep step in Steps)
        {
            text.Append($"  {step.Mood} {(step.KeepsUnique ? "keep" : "next")} back {step.Back} chance {step.Chance} finish {step.Finish} ");
            text.Append($"{Convert.ToHexStringLower(step.Message)}\n");
        }

        return text.ToString();
    }

    /// <summary>The same script without <paramref name="count"/> of its messages, from <paramref name="first"/> on.</summary>
    public FuzzScript Without(int first, int count) => this with { Steps = [.. Steps.Take(first), .. Steps.Skip(first + count)] };
}
