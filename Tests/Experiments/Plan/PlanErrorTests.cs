namespace Harness.Tests.Experiments.Plan;

public class PlanErrorTests
{
    [Theory]
    [InlineData("thread: 3", "5:5: unknown key 'thread' in an experiment; allowed: name, description, world, machine, backend, latency, mount, factors, baseline, design, runtime, ramp_time, workloads, repetitions, until, seed, quick")]
    [InlineData("repetition: 3", "5:5: unknown key 'repetition' in an experiment; did you mean 'repetitions'? Allowed: name, description, world, machine, backend, latency, mount, factors, baseline, design, runtime, ramp_time, workloads, repetitions, until, seed, quick")]
    [InlineData("threads: 3", "5:5: 'threads' cannot be set in an experiment: a knob stands under mount, or under factors to vary")]
    [InlineData("quick: {seed: 1}", "5:13: unknown key 'seed' in quick; allowed: repetitions, runtime, ramp_time")]
    [InlineData("until: {confidence-width: 5%, max: 9}", "5:35: unknown key 'max' in until; allowed: confidence-width, max-repetitions")]
    public void UnknownKeyIsRefusedWithWhatIsAllowedAndTheNearest(string line, string error) => AssertError(line, error);

    [Theory]
    [InlineData("seed: 1\nseed: 2", "6:5: 'seed' is given twice in an experiment; the first is at line 5")]
    [InlineData("mount: {threads: 1, threads: 1}", "5:25: 'threads' is given twice in mount; the first is at line 5")]
    [InlineData("latency: 1us\nmount: {latency: 1us}", "6:13: latency is given twice; the first is at line 5")]
    [InlineData("mount: {threads: 1}\nfactors: {threads: 2}", "6:15: 'threads' is fixed for all configurations and varies here; leave one out")]
    [InlineData("latency: 1us\nfactors: {latency: 2us}", "6:15: 'latency' is fixed for all configurations and varies here; leave one out")]
    [InlineData("factors: {max-write: [1M, 1024K]}", "5:31: max-write: the level 1M is in the list already")]
    public void WhatIsGivenTwiceIsRefused(string line, string error) => AssertError(line, error);

    [Theory]
    [InlineData("mount: {max-write: 128Q}", "5:24: max-write: '128Q' has the unknown unit 'Q'; allowed: a size from 4K to 262140K in multiples of 4K, with K, M, G or T, such as 128K")]
    [InlineData("mount: {max-write: 2K}", "5:24: max-write: '2K' is too small; allowed: a size from 4K to 262140K in multiples of 4K, with K, M, G or T, such as 128K")]
    [InlineData("mount: {max-write: 1G}", "5:24: max-write: '1G' is too large; allowed: a size from 4K to 262140K in multiples of 4K, with K, M, G or T, such as 128K")]
    [InlineData("mount: {max-write: 5000}", "5:24: max-write: '5000' is no multiple of 4K; allowed: a size from 4K to 262140K in multiples of 4K, with K, M, G or T, such as 128K")]
    [InlineData("mount: {max-write: big}", "5:24: max-write: 'big' does not begin with a number; allowed: a size from 4K to 262140K in multiples of 4K, with K, M, G or T, such as 128K")]
    [InlineData("mount: {threads: 0}", "5:22: threads: '0' is too small; allowed: a whole number from 1 to 256")]
    [InlineData("mount: {threads: -1}", "5:22: threads: '-1' is no whole number; allowed: a whole number from 1 to 256")]
    [InlineData("mount: {threads: 99999999999999999999}", "5:22: threads: '99999999999999999999' is too large; allowed: a whole number from 1 to 256")]
    [InlineData("mount: {async-dio: maybe}", "5:24: async-dio: 'maybe' is neither on nor off; allowed: on or off (also yes, no, true, false, 1, 0)")]
    [InlineData("mount: {async-dio: }", "5:24: async-dio: the value is missing; allowed: on or off (also yes, no, true, false, 1, 0)")]
    [InlineData("mount: {async-dio: [on]}", "5:24: async-dio: this is a list; allowed: on or off (also yes, no, true, false, 1, 0)")]
    [InlineData("mount: {channel: io-urin}", "5:22: channel: 'io-urin' is unknown; did you mean 'io-uring'? Allowed: one of auto, dev-fuse, clone, io-uring, global-lock, node-lock, cpu-lock-free, zero-copy")]
    [InlineData("latency: 200", "5:14: latency: '200' has no unit; allowed: a duration from 0us to 60s with its unit (ns, us, ms or s), such as 200us")]
    [InlineData("latency: 2m", "5:14: latency: '2m' has the unknown unit 'm'; allowed: a duration from 0us to 60s with its unit (ns, us, ms or s), such as 200us")]
    [InlineData("latency: 0.5ns", "5:14: latency: '0.5ns' is finer than 1ns; allowed: a duration from 0us to 60s with its unit (ns, us, ms or s), such as 200us")]
    [InlineData("runtime: 1500ns", "5:14: runtime: '1500ns' is too short; allowed: a duration from 10ms to 3600s with its unit (ns, us, ms or s) in multiples of 1us, such as 200us")]
    [InlineData("repetitions: 0", "5:18: repetitions: '0' is too small; allowed: a whole number from 1 to 10000")]
    [InlineData("seed: x", "5:11: seed: 'x' is no whole number; allowed: a whole number from 0 to 2147483647")]
    [InlineData("world: reel", "5:12: world: 'reel' is unknown; did you mean 'real'? Allowed: one of auto, real, simulated")]
    [InlineData("until: {confidence-width: 5}", "5:31: confidence-width: '5' has no unit; allowed: a percentage from 0.1% to 100%, such as 5%")]
    [InlineData("until: {confidence-width: 5%, max-repetitions: 2}", "5:52: max-repetitions: '2' is too small; allowed: a whole number from 3 to 10000")]
    [InlineData("description: [x]", "5:18: description: this is a list; allowed: text")]
    [InlineData("mount: 5", "5:12: mount must be a map of keys and values, not a single value")]
    [InlineData("factors: [threads]", "5:14: factors must be a map of keys and values, not a list")]
    [InlineData("factors:", "5:13: factors must be a map of keys and values, not nothing")]
    public void WrongTypeOrUnitIsRefusedWithWhatIsAllowed(string line, string error) => AssertError(line, error);

    [Theory]
    [InlineData("factors: {threads: []}", "5:24: threads: a factor has 1 to 64 levels, and this list has 0")]
    [InlineData("design: laddder", "5:13: design: 'laddder' is unknown; did you mean 'ladder'? Allowed: one of full-factorial, ladder, one-at-a-time, random-subset")]
    [InlineData("design: random-subset", "5:13: design: random-subset needs a size; write {random-subset: 8}")]
    [InlineData("design: {random-subset: 9}\nfactors: {threads: [1, 2]}", "5:29: random-subset: the factors have only 2 combinations; leave design out for all of them")]
    [InlineData("design: {ladder: 9}", "5:13: design needs the key 'random-subset'|5:14: unknown key 'ladder' in design; allowed: random-subset")]
    [InlineData("factors: {threads: [1, 2]}\nbaseline: {threads: 3}", "6:25: baseline: 3 is no level of threads; allowed: 1, 2")]
    [InlineData("factors: {threads: [1, 2]}\nbaseline: {writeback: on}", "6:16: 'writeback' cannot be set in baseline: writeback is no factor of this experiment")]
    [InlineData("repetitions: 3\nuntil: {confidence-width: 5%}", "6:5: until and repetitions (line 5) exclude each other; leave one out")]
    [InlineData("until: {max-repetitions: 9}", "5:12: until needs the key 'confidence-width'")]
    public void ImpossibleCombinationIsRefused(string line, string error) => AssertError(line, error);

    [Fact]
    public void GridBeyondTheLimitIsRefusedWithAWayOut()
    {
        string levels = string.Join(", ", Enumerable.Range(1, 64));
        string lines = $"factors: {{threads: [{levels}], max-background: [{levels}], congestion-threshold: [1, 2]}}";
        AssertError(
            lines,
            "2:5: the design full-factorial makes 8192 configurations; allowed: up to 4096, as with one-at-a-time or {random-subset: 64}");
        AssertError(lines + "\ndesign: {random-subset: 4096}");
    }

    [Theory]
    [InlineData("", ": the file is empty; a plan begins with the key 'experiments:'")]
    [InlineData("# only a comment", ": the file is empty; a plan begins with the key 'experiments:'")]
    [InlineData("- a", "1:1: a plan must be a map of keys and values, not a list")]
    [InlineData("experiment: []", "1:1: a plan needs the key 'experiments'|1:1: unknown key 'experiment' in a plan; did you mean 'experiments'? Allowed: experiments")]
    [InlineData("experiments:", "1:13: experiments must be a list of 1 to 256 experiments, not nothing")]
    [InlineData("experiments: []", "1:14: experiments must be a list of 1 to 256 experiments, not a list of 0")]
    [InlineData("experiments: [x]", "1:15: an experiment must be a map of keys and values, not a single value")]
    [InlineData("experiments: [{}]", "1:15: an experiment needs the key 'name'|1:15: an experiment needs the key 'backend'|1:15: an experiment needs the key 'workloads'")]
    [InlineData("experiments: [{name: a/b, backend: memory, workloads: []}]", "1:22: name: 'a/b' is no name for a file; allowed: a letter or digit, then letters, digits, '-', '_' and '.', 64 in all at most|1:55: workloads must be a list of 1 to 256 fio jobs, not a list of 0")]
    public void RootOfAnotherShapeIsRefused(string text, string errors) => Assert.Equal(Full(errors), PlanTexts.Errors(text));

    [Fact]
    public void NameThatIsTakenIsRefused()
    {
        const string Entry = "\n  - {name: a, backend: memory, workloads: [{name: w, rw: read, size: 1M}, {name: w, rw: read, size: 1M}]}";
        Assert.Equal(
            Full("2:82: name: the workload at line 2 has the name 'w' already; choose another"
                + "|3:12: name: the experiment at line 2 has the name 'a' already; choose another"
                + "|3:82: name: the workload at line 3 has the name 'w' already; choose another"),
            PlanTexts.Errors($"experiments:{Entry}{Entry}"));
    }

    [Theory]
    [InlineData("null", "")]
    [InlineData("memory", "")]
    [InlineData("{memory: }", "")]
    [InlineData("{passthrough: /srv}", "")]
    [InlineData("cluster", "")]
    [InlineData("{cluster: {cs: 5, replicas: 3}}", "")]
    [InlineData("{cluster: {cs: 2, replicas: 3}}", "1:62: replicas: 3 replicas need as many chunk servers; allowed: up to cs, which is 2")]
    [InlineData("{cluster: {css: 2}}", "1:45: unknown key 'css' in cluster; did you mean 'cs'? Allowed: cs, replicas")]
    [InlineData("memori", "1:34: backend: 'memori' is unknown; did you mean 'memory'? Allowed: one of null, memory, passthrough, cluster")]
    [InlineData("{memori: 5}", "1:35: backend: 'memori' is unknown; did you mean 'memory'? Allowed: one of null, memory, passthrough, cluster")]
    [InlineData("{memory: 5}", "1:43: backend: memory takes no options; write backend: memory")]
    [InlineData("passthrough", "1:34: backend: passthrough needs the directory to serve; write {passthrough: DIRECTORY}")]
    [InlineData("{passthrough: }", "1:48: backend: passthrough needs the directory to serve; write {passthrough: DIRECTORY}")]
    [InlineData("[memory]", "1:34: backend: this is a list; allowed: one of null, memory, passthrough, cluster, or a map of one of them to its options")]
    [InlineData("{null: , memory: }", "1:34: backend: this is a map of 2 keys; allowed: one of null, memory, passthrough, cluster, or a map of one of them to its options")]
    public void BackendIsAKnownNameWithWhatItNeeds(string backend, string errors)
    {
        string text = $"experiments: [{{name: a, backend: {backend}, workloads: [{{name: w, rw: read, size: 1M}}]}}]";
        Assert.Equal(Full(errors), PlanTexts.Errors(text));
    }

    [Fact]
    public void ErrorThatAnAliasBringsUpAgainIsReportedOnce() => Assert.Equal(
        Full("1:71: rw: 'x' is unknown; allowed: one of read, write, randread, randwrite, rw, readwrite, randrw"),
        PlanTexts.Errors("experiments: [{name: a, backend: memory, workloads: [&w {name: v, rw: x, size: 1M}, {<<: *w, name: w}]}]"));

    [Fact]
    public void AllErrorsAreReportedTogetherInTheOrderOfTheFileUpToABound()
    {
        Assert.Equal(
            Full("5:12: world: 'x' is unknown; allowed: one of auto, real, simulated"
                + "|6:22: threads: 'y' is no whole number; allowed: a whole number from 1 to 256"
                + "|7:11: seed: 'z' is no whole number; allowed: a whole number from 0 to 2147483647"),
            PlanTexts.Errors(PlanTexts.Experiment("world: x\nmount: {threads: y}\nseed: z")));

        string[] many = PlanTexts.Errors(PlanTexts.Experiment(string.Join('\n', Enumerable.Range(0, 60).Select(index => $"key{index}: 1"))));
        Assert.Equal(51, many.Length);
        Assert.StartsWith("plan.yaml:5:5: unknown key 'key0'", many[0], StringComparison.Ordinal);
        Assert.Equal("plan.yaml: and 10 more errors", many[50]);
    }

    [Fact]
    public void AnUnknownKnobIsRefusedWithTheNearest() =>
        AssertError("mount: {max_writ: 1M}", "5:13: unknown key 'max_writ' in mount; did you mean 'max-write'?");

    private static void AssertError(string lines, params string[] errors) =>
        Assert.Equal(Full(string.Join('|', errors)), PlanTexts.Errors(PlanTexts.Experiment(lines)));

    private static string[] Full(string errors) =>
        errors.Length == 0 ? [] : [.. errors.Split('|').Select(error => error[0] == ':' ? $"plan.yaml{error}" : $"plan.yaml:{error}")];
}
