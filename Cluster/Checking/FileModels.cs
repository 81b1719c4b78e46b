namespace Harness.Cluster.Checking;

/// <summary>A block's cells, and how many of them lie within the file.</summary>
internal readonly record struct BlockState(ulong Cell0, ulong Cell1, ulong Cell2, ulong Cell3, int End)
{
    /// <summary>A cell's number.</summary>
    public ulong this[int cell] => cell switch { 0 => Cell0, 1 => Cell1, 2 => Cell2, _ => Cell3 };

    /// <summary>The block with a number in some of its cells.</summary>
    public BlockState Fill(int from, int to, ulong value)
    {
        return new(Pick(0, Cell0), Pick(1, Cell1), Pick(2, Cell2), Pick(3, Cell3), End);

        ulong Pick(int cell, ulong old) => cell >= from && cell < to ? value : old;
    }
}

/// <summary>One block of a file, or of a chunk, which has no end: writes and punches of its cells, and all that moves the end of the file.</summary>
/// <param name="block">Which block.</param>
/// <param name="isChunk">Whether it is a chunk's.</param>
internal sealed class BlockModel(int block, bool isChunk) : IModel<BlockState>
{
    private readonly int _start = block * Call.CellsPerBlock;

    /// <inheritdoc/>
    public BlockState Initial => new(0, 0, 0, 0, isChunk ? Call.CellsPerBlock : 0);

    /// <summary>Whether a call on the file says or does something about the block.</summary>
    public bool Concerns(Call call) => call.Kind switch
    {
        OperationKind.Write => call.First + call.Count > _start,
        OperationKind.Truncate or OperationKind.Size => true,
        OperationKind.Read or OperationKind.Punch or OperationKind.ChunkRead or OperationKind.ChunkWrite or OperationKind.ChunkPunch =>
            call.First + call.Count > _start && call.First < _start + Call.CellsPerBlock,
        _ => false,
    };

    /// <inheritdoc/>
    public bool TryStep(BlockState state, Call call, out BlockState next)
    {
        int from = Within(call.First);
        int to = Within(call.First + call.Count);
        next = state;
        switch (call.Kind)
        {
            case OperationKind.Write:
                next = state.Fill(from, to, call.Value) with { End = Math.Max(state.End, to) };
                return true;
            case OperationKind.ChunkWrite:
                next = state.Fill(from, to, call.Value);
                return true;
            case OperationKind.Punch or OperationKind.ChunkPunch:
                next = state.Fill(from, to, 0);
                return true;
            case OperationKind.Truncate:
                next = state.Fill(from, Call.CellsPerBlock, 0) with { End = from };
                return true;
            case OperationKind.Size:
                return call.IsOpen || Within(call.Cells) == state.End;
            case OperationKind.Read or OperationKind.ChunkRead:
                return call.IsOpen || Agrees(state, call, from, to);
            default:
                return true;
        }
    }

    private bool Agrees(BlockState state, Call call, int from, int to)
    {
        for (int cell = from; cell < to; cell++)
        {
            int place = _start + cell - call.First;
            bool isThere = cell < state.End;
            if (isThere != place < call.Cells || (isThere && call.Seen[place] != state[cell]))
            {
                return false;
            }
        }

        return true;
    }

    private int Within(int cell) => Math.Clamp(cell - _start, 0, Call.CellsPerBlock);
}

/// <summary>A file's size, in cells.</summary>
internal sealed class SizeModel : IModel<int>
{
    /// <inheritdoc/>
    public int Initial => 0;

    /// <inheritdoc/>
    public bool TryStep(int state, Call call, out int next)
    {
        next = call.Kind switch
        {
            OperationKind.Write => Math.Max(state, call.First + call.Count),
            OperationKind.Truncate => call.First,
            _ => state,
        };
        return call.IsOpen || call.Kind switch
        {
            OperationKind.Size => call.Cells == state,
            OperationKind.Read => call.Cells == Math.Clamp(state - call.First, 0, call.Count),
            _ => true,
        };
    }
}
