using Harness.Experiments.Simulated;
namespace Harness.Experiments.Plan;

/// <summary>
/// What an experiment comes to: its configurations, and the order of its trials. The same experiment gives the same plan.
/// </summary>
/// <remarks>
/// A block measures every cell (configuration and workload) once, all of them shuffled together: a machine that grows warm or busy
/// then weighs on every configuration alike, and a comparison within a block has the least time between its two sides (a randomized
/// complete block design; Box, Hunter and Hunter, "Statistics for Experimenters", chapter 4).
/// </remarks>
internal sealed class ExperimentPlan
{
    private ExperimentPlan(Experiment experiment, IReadOnlyList<Configuration> configurations)
    {
        Experiment = experiment;
        Configurations = configurations;
    }

    public Experiment Experiment { get; }

    /// <summary>All configurations, the baseline first.</summary>
    public IReadOnlyList<Configuration> Configurations { get; }

    /// <summary>What the other configurations are compared with.</summary>
    public Configuration Baseline => Configurations[0];

    /// <summary>Trials per block.</summary>
    public int CellCount => Configurations.Count * Experiment.Workloads.Count;

    /// <summary>Trials that run in any case.</summary>
    public int TrialsMinimum => CellCount * Experiment.Repetitions.Minimum;

    /// <summary>Trials after which the experiment ends in any case.</summary>
    public int TrialsMaximum => CellCount * Experiment.Repetitions.Maximum;

    public static ExperimentPlan Of(Experiment experiment)
    {
        IEnumerable<int[]> points = experiment.Design.Points(experiment.Factors, new Random(experiment.Seed));
        return new ExperimentPlan(experiment, [.. points.Select(point => Configure(experiment, point))]);
    }

    /// <summary>All trials in order, lazily.</summary>
    /// <param name="wantsAnotherBlock">
    /// Asked between the minimum and the maximum of blocks, once all trials so far have been taken: given how many blocks there
    /// are, whether one more is wanted.
    /// </param>
    public IEnumerable<Trial> Trials(Func<int, bool> wantsAnotherBlock) => Resume(new HashSet<TrialKey>(), wantsAnotherBlock);

    /// <summary>The trials that remain of an interrupted run, in the order they would have had.</summary>
    /// <param name="completed">The trials whose results are kept; keys of no trial do not matter.</param>
    /// <param name="wantsAnotherBlock">As in <see cref="Trials"/>.</param>
    public IEnumerable<Trial> Resume(IReadOnlySet<TrialKey> completed, Func<int, bool> wantsAnotherBlock)
    {
        Repetitions repetitions = Experiment.Repetitions;
        // One stream for all blocks: generators of neighbouring seeds begin alike, and so would blocks that had one each.
        var random = new Random(Experiment.Seed);
        for (int block = 0; block < repetitions.Maximum; block++)
        {
            if (block >= repetitions.Minimum && !wantsAnotherBlock(block))
            {
                yield break;
            }

            foreach (Trial trial in Block(block, random))
            {
                if (!completed.Contains(trial.Key))
                {
                    yield return trial;
                }
            }
        }
    }

    /// <summary>Why the experiment cannot run on a real kernel, or null if it can or need not.</summary>
    public PlanError? RefusedInRealWorld(string file) => Experiment.World == World.Simulated
        ? null
        : Configurations.Select(configuration => configuration.Settings[Knobs.Channel].Text)
            .Where(channel => !Knobs.Channels.Contains(channel))
            .Select(channel => Refused(file, $"channel={channel} exists in simulation only; write world: simulated"))
            .FirstOrDefault();

    /// <summary>Why the experiment cannot run in simulation, or null if it can.</summary>
    public PlanError? RefusedInSimulation(string file) =>
        (from configuration in Configurations
         from workload in Experiment.Workloads
         let refusal = SimulatedTrial.Unmodelled(Experiment.Backend, configuration.Settings, workload)
         where refusal is not null
         select Refused(file, refusal)).FirstOrDefault();

    private PlanError Refused(string file, string why) =>
        new(file, Experiment.Mark.Line, Experiment.Mark.Column, $"the experiment '{Experiment.Name}': {why}");

    private Trial[] Block(int block, Random random)
    {
        Trial[] trials =
        [
            .. from configuration in Configurations
               from workload in Experiment.Workloads
               select new Trial(block, configuration, workload),
        ];
        random.Shuffle(trials);
        return trials;
    }

    private static Configuration Configure(Experiment experiment, int[] point)
    {
        KnobSettings levels = experiment.Factors
            .Zip(point, (factor, level) => (factor.Knob, Value: factor.Levels[level]))
            .Aggregate(KnobSettings.None, (settings, level) => settings.With(level.Knob, level.Value));
        const string NothingVaries = "default";
        return experiment.Factors.Count == 0
            ? new Configuration(NothingVaries, NothingVaries, levels, experiment.Mount)
            : new Configuration(levels.ToString(), levels.ToLabel(), levels, experiment.Mount.With(levels));
    }
}
