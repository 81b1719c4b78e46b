namespace Harness.Simulation.Scheduling;

/// <summary>Whoever runs a loop's callbacks in the loop's stead: a simulated thread.</summary>
interface ILoopServer
{
    /// <summary>Charges the simulated thread that posts, if one does, with waking this one, if it sleeps.</summary>
    void ChargeForWaking();

    /// <summary>The queue is not empty any more.</summary>
    void WorkArrived();

    /// <summary>The loop has crashed.</summary>
    void Stop();
}
