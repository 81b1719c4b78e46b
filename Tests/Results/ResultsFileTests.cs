using System.Text;
using Harness.Results.Records;

namespace Harness.Tests.Results;

public sealed class ResultsFileTests : IDisposable
{
    private const string Nasty = "a, \"b\"\r\nc;\n=d\t'é' ";

    private readonly TemporaryDirectory directory = new();
    private readonly string path;

    public ResultsFileTests() => path = directory["results.csv"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public void EveryFieldSurvivesARoundTrip()
    {
        TrialRecord plain = Trials.Of(factors: [new("max-write", "131072"), new("async-dio", "on")]);
        TrialRecord nasty = Trials.Of(Nasty, 7, 1.0 / 3, Nasty, Nasty, new Factor("async_dio", Nasty)) with { World = "simulated" };
        TrialRecord failed = Trials.Failed(Trials.Of(block: 8), Nasty);
        using (ResultsFile file = ResultsFile.Open(path, ["max_write", "async_dio"]))
        {
            file.Append(plain);
            file.Append(nasty);
            file.Append(failed);
        }

        Assert.Collection(
            ResultsFile.Read(path),
            t => Trials.AssertSame(plain, t),
            t => Trials.AssertSame(nasty, t),
            t => Trials.AssertSame(failed, t));
    }

    [Fact]
    public void HeaderHasUnitsLastAndAColumnPerFactor()
    {
        ResultsFile.Open(path, ["max_write"]).Dispose();

        Assert.Equal(
            "experiment,workload,configuration,is_baseline,block,order_in_block,started_at_utc,world,factor_max_write,"
            + "throughput_bytes_per_s,iops,latency_mean_us,latency_p50_us,latency_p95_us,latency_p99_us,latency_p99_9_us,latency_max_us,"
            + "cpu_daemon_user_percent,cpu_daemon_system_percent,cpu_app_user_percent,cpu_app_system_percent,"
            + "read_bytes,write_bytes,runtime_s,error\n",
            File.ReadAllText(path));
    }

    [Fact]
    public void RowsArePlainNumbersAndIsoTimes()
    {
        using (ResultsFile file = ResultsFile.Open(path, ["threads", "max_write"]))
        {
            file.Append(Trials.Of("base", 3, 20_000, "randread 4k", "dio", new Factor("threads", "2")));
        }

        Assert.Equal(
            "dio,randread 4k,base,true,3,2,2025-06-01T12:00:03.1230000Z,real,2,,"
            + "81920000,20000,50,45,75,100,250,1000,41.5,,,0.1,245760000,0,3.0001,",
            File.ReadAllLines(path)[1]);
    }

    [Fact]
    public void AFileCutAnywhereKeepsExactlyTheRowsThatWereWhole()
    {
        TrialRecord[] trials = [Trials.Of("a\n\"\n", 0, 1.0 / 3), Trials.Failed(Trials.Of("b", 1), "x\n\n\"y\"\n"), Trials.Of("c", 2)];
        long[] ends = new long[trials.Length];
        using (ResultsFile file = ResultsFile.Open(path, ["f"]))
        {
            for (int i = 0; i < trials.Length; i++)
            {
                file.Append(trials[i]);
                ends[i] = new FileInfo(path).Length;
            }
        }
        byte[] whole = File.ReadAllBytes(path);

        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            int expected = ends.Count(end => end <= length);
            Assert.Equal(trials.Take(expected).Select(t => t.Key), ResultsFile.Read(path).Select(t => t.Key));

            if (length % 17 != 0 && !ends.Contains(length))
            {
                continue; // Each append waits for the disk, so not every cut is also resumed.
            }
            using (ResultsFile file = ResultsFile.Open(path, ["f"]))
            {
                Assert.Equal(expected, file.Trials.Count);
                file.Append(Trials.Of("after the crash", 99));
            }
            IReadOnlyList<TrialRecord> resumed = ResultsFile.Read(path);
            Assert.Equal([.. trials.Take(expected).Select(t => t.Key), Trials.Of("after the crash", 99).Key], resumed.Select(t => t.Key));
            Assert.All(resumed.Zip(trials.Take(expected)), pair => Trials.AssertSame(pair.Second, pair.First));
        }
    }

    [Fact]
    public void AResumedRunKnowsWhatIsMeasuredAndTriesFailuresAgain()
    {
        TrialRecord done = Trials.Of("done");
        TrialRecord failed = Trials.Failed(Trials.Of("failed"));
        using (ResultsFile file = ResultsFile.Open(path, []))
        {
            file.Append(done);
            file.Append(failed);
        }

        using ResultsFile again = ResultsFile.Open(path, []);
        Assert.True(again.IsMeasured(done.Key));
        Assert.False(again.IsMeasured(failed.Key));
        Assert.False(again.IsMeasured(done.Key with { Block = 1 }));
        Assert.Throws<InvalidOperationException>(() => again.Append(done));
        again.Append(Trials.Of("failed"));
        Assert.True(again.IsMeasured(failed.Key));
    }

    [Fact]
    public void ResumingWithAnotherFactorAddsItsColumnAndKeepsTheOldOnes()
    {
        TrialRecord before = Trials.Of("before", factors: new Factor("threads", "1"));
        TrialRecord after = Trials.Of("after", factors: new Factor("writeback", "on"));
        using (ResultsFile file = ResultsFile.Open(path, ["threads"]))
        {
            file.Append(before);
        }
        using (ResultsFile file = ResultsFile.Open(path, ["writeback"]))
        {
            file.Append(after);
        }

        Assert.Collection(ResultsFile.Read(path), t => Trials.AssertSame(before, t), t => Trials.AssertSame(after, t));
        Assert.Contains("world,factor_threads,factor_writeback,throughput", File.ReadAllText(path));
    }

    [Fact]
    public void AFactorWithoutAColumnIsRefusedAndLeavesNoTrace()
    {
        using ResultsFile file = ResultsFile.Open(path, ["threads"]);
        long before = new FileInfo(path).Length;

        var e = Assert.Throws<ArgumentException>(() => file.Append(Trials.Of(factors: new Factor("max_write", "1"))));

        Assert.Contains("max_write", e.Message);
        Assert.Equal(before, new FileInfo(path).Length);
        Assert.Empty(file.Trials);
    }

    [Theory]
    [InlineData("10000,", "many,", "line 2: column iops holds 'many'")]
    [InlineData(",real,", ",", "line 2: the row is damaged")]
    [InlineData("iops", "ops", "no column 'iops'")]
    public void DamageIsNamedByFileLineAndColumn(string text, string damage, string message)
    {
        using (ResultsFile file = ResultsFile.Open(path, []))
        {
            file.Append(Trials.Of());
        }
        string sound = File.ReadAllText(path);
        File.WriteAllText(path, sound.Replace(text, damage));
        Assert.NotEqual(sound, File.ReadAllText(path));

        var e = Assert.Throws<InvalidDataException>(() => ResultsFile.Read(path));

        Assert.StartsWith(path, e.Message);
        Assert.Contains(message, e.Message);
        Assert.Throws<InvalidDataException>(() => ResultsFile.Open(path, []));
    }

    [Fact]
    public void AForeignFileIsRefusedAndLeftAlone()
    {
        File.WriteAllText(path, "my notes\n");

        Assert.Throws<InvalidDataException>(() => ResultsFile.Open(path, []));

        Assert.Equal("my notes\n", File.ReadAllText(path));
    }

    [Fact]
    public void AFileSavedByASpreadsheetReads()
    {
        using (ResultsFile file = ResultsFile.Open(path, ["threads"]))
        {
            file.Append(Trials.Of(factors: new Factor("threads", "2")));
        }
        File.WriteAllText(path, File.ReadAllText(path).Replace("\n", "\r\n"), new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Trials.AssertSame(Trials.Of(factors: new Factor("threads", "2")), Assert.Single(ResultsFile.Read(path)));
    }

    [Fact]
    public void ASecondWriterIsRefused()
    {
        using ResultsFile first = ResultsFile.Open(path, []);

        Assert.Throws<IOException>(() => ResultsFile.Open(path, []));
    }

    [Theory]
    [InlineData("max-write", "max_write")]
    [InlineData("Max Background", "max_background")]
    [InlineData("größe", "gr__e")]
    public void FactorNamesBecomeColumnNames(string name, string column) => Assert.Equal(column, new Factor(name, "1").Name);

    [Theory]
    [InlineData("", "1")]
    [InlineData("--", "1")]
    [InlineData("threads", "")]
    public void AFactorNeedsANameAndAValue(string name, string value) => Assert.Throws<ArgumentException>(() => new Factor(name, value));
}
