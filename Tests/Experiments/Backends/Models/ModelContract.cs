using FsCheck;
using FsCheck.Fluent;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Tests.Experiments.Backends.Models;

/// <summary>Claims that a file system does what a simple model does, whatever is asked of it.</summary>
public abstract class ModelContract
{
    private const int NameCases = 150;
    private const int NameOperationsMax = 60;
    private const int DataCases = 80;
    private const int DataOperationsMax = 25;

    private readonly Func<IFileSystem> _make;

    private protected ModelContract(Func<IFileSystem> make) => _make = make;

    [Fact]
    public void NamesAndAttributesFollowTheModel() =>
        RandomRun.Check(Prop.ForAll(Sequences(NameOperation.Generator, NameOperationsMax), operations => WithFileSystem(fs =>
        {
            var model = new NameModel();
            foreach (NameOperation operation in operations)
            {
                AssertEqual(operation.Apply(model), operation.Apply(fs), operation);
                AssertEqual(Print(model.Describe()), Print(fs.Describe()), operation);
            }
        })), NameCases);

    [Fact]
    public void DataFollowTheModel() =>
        RandomRun.Check(Prop.ForAll(Sequences(DataOperation.Generator, DataOperationsMax), operations => WithFileSystem(fs =>
        {
            var model = new DataModel();
            ulong file = fs.Create(FileSystemClient.Root, "file").Ok().Entry.Nodeid;
            foreach (DataOperation operation in operations)
            {
                AssertEqual(operation.Apply(model), operation.Apply(fs, file), operation);
                byte[] expected = model.Bytes;
                Attr attr = fs.Getattr(file).Ok();
                AssertEqual(((ulong)expected.Length, model.Blocks), (attr.Size, attr.Blocks), operation);
                AssertEqual(-1, Difference(expected, fs.Read(file, 0, expected.Length + 1).Ok()), operation);
                AssertSeeks(model, fs, file, operation);
            }
        })), DataCases);

    private static void AssertSeeks(DataModel model, FileSystemClient fs, ulong file, object operation)
    {
        for (int offset = 0; offset <= model.Size; offset += DataModel.Page / 2)
        {
            Result<ulong> data = fs.SeekData(file, (ulong)offset);
            Result<ulong> hole = fs.SeekHole(file, (ulong)offset);
            AssertEqual((offset, model.Seek(offset, data: true)), (offset, data.IsOk ? (int)data.Value : null), operation);
            AssertEqual((offset, model.Seek(offset, data: false)), (offset, hole.IsOk ? (int)hole.Value : null), operation);
        }
    }

    /// <summary>Runs a test on a new file system, and checks that removing and forgetting everything leaves nothing behind.</summary>
    private void WithFileSystem(Action<FileSystemClient> test)
    {
        IFileSystem fileSystem = _make();
        var fs = new FileSystemClient(fileSystem);
        Kstatfs before = fs.Statfs();
        test(fs);
        fs.RemoveAll();
        fs.ForgetAll();
        AssertEqual((before.Bfree, before.Ffree), (fs.Statfs().Bfree, fs.Statfs().Ffree), "removing everything");
        (fileSystem as IDisposable)?.Dispose();
    }

    private static Arbitrary<T[]> Sequences<T>(Gen<T> operation, int lengthMax)
    {
        Gen<T[]> sequence = Gen.Choose(1, lengthMax).SelectMany(length => operation.ArrayOf(length));
        return Arb.From(sequence, Shrink);
    }

    /// <summary>The sequence without its later half, its earlier half, each eighth, and each single operation.</summary>
    private static IEnumerable<T[]> Shrink<T>(T[] all)
    {
        for (int cut = all.Length / 2; cut > 0; cut = cut > 1 ? cut / 4 : 0)
        {
            for (int at = all.Length - cut; at >= 0; at -= cut)
            {
                yield return [.. all[..at], .. all[(at + cut)..]];
            }
        }
    }

    private static string Print(SortedDictionary<string, Seen> all) => string.Join("\n", all.Select(one => $"'{one.Key}' {one.Value}"));

    private static int Difference(byte[] expected, byte[] actual)
    {
        int common = expected.AsSpan().CommonPrefixLength(actual);
        return common == expected.Length && common == actual.Length ? -1 : common;
    }

    private static void AssertEqual<T>(T expected, T actual, object operation) =>
        Assert.True(Equals(expected, actual), $"After {operation} the model has\n{expected}\nbut the file system\n{actual}");
}
