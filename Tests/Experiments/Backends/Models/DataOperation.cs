using FsCheck;
using FsCheck.Fluent;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Models;

/// <summary>One call that concerns a file's data, to be made on the model and on a file system.</summary>
internal abstract record DataOperation
{
    private const int Page = DataModel.Page;

    // A little more than the 64 pages that share a leaf of the memory file system's page table.
    private const int PagesMax = 70;

    /// <summary>Operations at all kinds of offsets, most of them near page boundaries.</summary>
    public static Gen<DataOperation> Generator
    {
        get
        {
            Gen<int> aligned = Gen.Choose(0, PagesMax).Select(page => page * Page);
            Gen<int> nearby = from page in aligned from more in Gen.Choose(-2, 2) select Math.Max(0, page + more);
            Gen<int> offset = Gen.OneOf(aligned, nearby, Gen.Choose(0, PagesMax * Page));
            Gen<int> length = Gen.OneOf(
                Gen.Choose(1, 20), Gen.Choose(1, 5).Select(pages => pages * Page), Gen.Choose(1, 10 * Page), offset.Select(o => o + 1));
            Gen<FallocateMode> mode = Gen.Elements(
                FallocateMode.None, FallocateMode.KeepSize, FallocateMode.PunchHole | FallocateMode.KeepSize, FallocateMode.ZeroRange,
                FallocateMode.ZeroRange | FallocateMode.KeepSize, FallocateMode.CollapseRange, FallocateMode.InsertRange);
            Gen<int> range = Gen.Choose(1, 5).Select(pages => pages * Page);
            return Gen.Frequency(
                (4, from o in offset from l in length from b in Gen.Choose(1, 255) select (DataOperation)new WriteOperation(o, l, (byte)b)),
                (1, from l in length from b in Gen.Choose(1, 255) select (DataOperation)new AppendOperation(l, (byte)b)),
                (2, offset.Select(o => (DataOperation)new TruncateOperation(o))),
                (3, from m in mode from o in offset from l in length select (DataOperation)new FallocateOperation(m, o, l)),
                (3, from m in mode from o in aligned from l in range select (DataOperation)new FallocateOperation(m, o, l)),
                (2, from o in offset from n in offset from l in length select (DataOperation)new CopyOperation(o, n, l)));
        }
    }

    public abstract Errno Apply(DataModel model);

    public abstract Errno Apply(FileSystemClient fs, ulong file);

    private static byte[] Data(int length, byte seed) => [.. Enumerable.Range(0, length).Select(i => (byte)(seed + (i / 7)))];

    private sealed record WriteOperation(int Offset, int Length, byte Seed) : DataOperation
    {
        public override Errno Apply(DataModel model)
        {
            model.Write(Offset, Data(Length, Seed));
            return Errnos.Ok;
        }

        public override Errno Apply(FileSystemClient fs, ulong file)
        {
            Assert.Equal(Length, fs.Write(file, (ulong)Offset, Data(Length, Seed)).Ok());
            return Errnos.Ok;
        }
    }

    private sealed record AppendOperation(int Length, byte Seed) : DataOperation
    {
        public override Errno Apply(DataModel model)
        {
            model.Write(model.Size, Data(Length, Seed));
            return Errnos.Ok;
        }

        public override Errno Apply(FileSystemClient fs, ulong file) =>
            fs.Write(file, 0, Data(Length, Seed), OpenFlags.O_WRONLY | OpenFlags.O_APPEND).Error;
    }

    private sealed record TruncateOperation(int Size) : DataOperation
    {
        public override Errno Apply(DataModel model)
        {
            model.Truncate(Size);
            return Errnos.Ok;
        }

        public override Errno Apply(FileSystemClient fs, ulong file) => fs.Truncate(file, (ulong)Size).Error;
    }

    private sealed record FallocateOperation(FallocateMode Mode, int Offset, int Length) : DataOperation
    {
        public override Errno Apply(DataModel model) => model.Fallocate(Mode, Offset, Length);

        public override Errno Apply(FileSystemClient fs, ulong file) => fs.Fallocate(file, Mode, (ulong)Offset, (ulong)Length);
    }

    private sealed record CopyOperation(int Offset, int NewOffset, int Length) : DataOperation
    {
        public override Errno Apply(DataModel model)
        {
            if (Offset < NewOffset + Length && NewOffset < Offset + Length)
            {
                return Errno.EINVAL;
            }

            model.Copy(Offset, NewOffset, Length);
            return Errnos.Ok;
        }

        public override Errno Apply(FileSystemClient fs, ulong file)
        {
            int expected = (int)Math.Clamp((long)fs.Getattr(file).Ok().Size - Offset, 0, Length);
            Result<ulong> copied = fs.CopyFileRange(file, (ulong)Offset, file, (ulong)NewOffset, (ulong)Length);
            Assert.True(!copied.IsOk || copied.Value == (ulong)expected, $"{copied.Value} bytes were copied instead of {expected}.");
            return copied.Error;
        }
    }
}
