using Harness.Experiments.Plan;
using Harness.Simulation.Chance;

namespace Harness.Experiments.Conformance;

/// <summary>Generates scripts: a mount of random knobs, and random calls on a few names, files and directories.</summary>
internal static class RandomScripts
{
    private const int StepsMin = 8;
    private const int StepsMax = 30;
    private const double KnobShare = 0.3;
    private const double WritebackShare = 0.2;

    private static readonly string[] s_names = ["a", "b", "d/a", "d/b", "d", "e"];
    private static readonly string[] s_offsets = ["0", "1", "100", "4095", "4096", "5000", "8192", "65536", "100000", "131072", "262144"];
    private static readonly string[] s_lengths = ["1", "100", "4096", "4097", "8192", "10000", "65536", "131072", "200000"];

    private static readonly string[] s_modes =
    [
        "rdwr create", "rdwr create", "rdwr create", "rdonly", "wronly create trunc", "rdwr direct create", "rdwr append create",
    ];

    private static readonly (Knob Knob, string[] Values)[] s_knobs =
    [
        (Knobs.MaxWrite, ["4K", "32K", "128K", "1M"]),
        (Knobs.AsyncDio, ["off", "on"]),
        (Knobs.MaxReadahead, ["0", "16K", "128K"]),
        (Knobs.MaxBackground, ["4", "12", "64"]),
        (Knobs.DirectIo, ["off", "off", "on"]),
        (Knobs.KeepCache, ["off", "on"]),
        (Knobs.Noflush, ["off", "off", "on"]),
        (Knobs.EntryTimeout, ["0us", "600s"]),
        (Knobs.AttrTimeout, ["0us", "600s"]),
        (Knobs.NegativeTimeout, ["0us", "600s"]),
    ];

    /// <summary>The script of a seed and a number, always the same.</summary>
    public static Script Generate(ulong seed, int number)
    {
        SimRandom random = new SimRandom(seed).Split("conformance script", number);
        KnobSettings knobs = KnobSettings.None;
        foreach ((Knob knob, string[] values) in s_knobs)
        {
            knobs = random.Chance(KnobShare) ? knobs.With(knob, knob.Kind.Parse(Pick(random, values))) : knobs;
        }

        bool isBack = random.Chance(WritebackShare);
        knobs = isBack ? knobs.With(Knobs.Writeback, Knobs.Writeback.Kind.Parse("on")) : knobs;
        var handles = new List<string>();
        var steps = new List<string> { "mkdir d 755" };
        int count = random.Next(StepsMin, StepsMax);
        while (steps.Count < count)
        {
            steps.Add(Next(random, handles, steps.Count));
        }

        return new Script
        {
            Name = $"random-{seed}-{number}",
            Knobs = ScriptFile.WithUsual(knobs),
            Comparison = isBack ? Comparison.Coverage : Comparison.Multiset,
            Steps = [.. steps.Select(line => ScriptCalls.Parse(line).Step!)],
        };
    }

    private static string Next(SimRandom random, List<string> handles, int number)
    {
        if (handles.Count == 0 || random.Chance(0.35))
        {
            return OnName(random, handles, number);
        }

        string handle = handles[random.Next(handles.Count)];
        string offset = Pick(random, s_offsets);
        string length = Pick(random, s_lengths);
        switch (random.Next(12))
        {
            case 0 or 1 or 2:
                return $"pread {handle} {offset} {length}";
            case 3 or 4 or 5:
                return $"pwrite {handle} {offset} {length}";
            case 6:
                return $"read {handle} {length}";
            case 7:
                return $"write {handle} {length}";
            case 8:
                return $"ftruncate {handle} {offset}";
            case 9:
                return random.Chance(0.5) ? $"fsync {handle}" : $"fstat {handle}";
            case 10:
                return random.Chance(0.5) ? $"lseek {handle} 0 end" : $"fallocate {handle} {offset} {length}";
            default:
                handles.Remove(handle);
                return $"close {handle}";
        }
    }

    private static string OnName(SimRandom random, List<string> handles, int number)
    {
        string name = Pick(random, s_names);
        string other = Pick(random, s_names);
        switch (random.Next(14))
        {
            case 0:
                return $"stat {name}";
            case 1:
                return $"mkdir {name} 755";
            case 2:
                return $"unlink {name}";
            case 3:
                return $"rmdir {name}";
            case 4:
                return $"rename {name} {other}";
            case 5:
                return $"link {name} {other}";
            case 6:
                return $"truncate {name} {Pick(random, s_offsets)}";
            case 7:
                return $"chmod {name} 700";
            case 8:
                return $"setxattr {name} user.a 10";
            case 9:
                return $"getxattr {name} user.a 100";
            default:
                string handle = $"f{number}";
                handles.Add(handle);
                return $"open {handle} {name} {Pick(random, s_modes)}";
        }
    }

    private static string Pick(SimRandom random, string[] from) => from[random.Next(from.Length)];
}
