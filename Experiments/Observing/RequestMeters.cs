using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Observing;

/// <summary>What one mount's requests were, and how long they took in the daemon: a cell for each slot, added up when somebody asks.</summary>
internal sealed class RequestMeters
{
    private readonly Lock _lock = new();
    private readonly Lazy<StageRecording> _stages = new();
    private volatile SlotCounters[] _slots = [];
    private volatile StageRecording? _recording;

    /// <summary>Where requests are recorded stage by stage; null unless somebody has asked for it.</summary>
    public StageRecording? Recording => _recording;

    /// <summary>Makes the meter of a new slot.</summary>
    public SlotMeter AddSlot()
    {
        var slot = new SlotCounters(this);
        lock (_lock)
        {
            _slots = [.. _slots, slot];
        }

        return slot;
    }

    /// <summary>Counts of every opcode that has come at least once.</summary>
    public IReadOnlyList<OpcodeCounts> Count()
    {
        var all = new List<OpcodeCounts>();
        for (Opcode opcode = 0; opcode <= OpcodeTable.Last; opcode++)
        {
            var counts = new OpcodeCounts { Opcode = opcode };
            foreach (SlotCounters slot in _slots)
            {
                slot.AddTo(counts);
            }

            if (counts.Requests > 0)
            {
                all.Add(counts);
            }
        }

        return all;
    }

    /// <summary>Begins to record the stages of every request, from an empty recording.</summary>
    public void StartRecording()
    {
        _stages.Value.Clear();
        _recording = _stages.Value;
    }

    /// <summary>Ends it.</summary>
    /// <returns>What was recorded.</returns>
    public StageRecord[] StopRecording()
    {
        _recording = null;
        return _stages.Value.Take();
    }
}
