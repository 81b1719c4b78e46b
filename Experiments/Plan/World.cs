namespace Harness.Experiments.Plan;

/// <summary>Where an experiment takes place.</summary>
internal enum World
{
    /// <summary>On this machine's kernel where it offers FUSE, else in simulation.</summary>
    Auto,

    /// <summary>On this machine's kernel.</summary>
    Real,

    /// <summary>In virtual time on a simulated kernel.</summary>
    Simulated,
}
