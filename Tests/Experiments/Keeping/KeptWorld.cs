using System.Runtime.InteropServices;
using System.Text;
using Harness.Experiments.Backends.Passthrough;
using Harness.Experiments.Fuzz;
using Harness.Experiments.Keeping;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Keeping;

/// <summary>
/// A kept passthrough without a kernel or a second process: one daemon after the other, each made of what the one before left with the
/// supervisor's shelf and in the state, which is all that survives it.
/// </summary>
internal sealed class KeptWorld : IDisposable
{
    private const int SlotsMax = 64;
    private const int EntriesMax = 8;
    private const ulong UniqueStep = 2;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("harness-kept-");
    private readonly int? _openNodesMax;
    private readonly Link _daemonEnd;
    private readonly Link _supervisorEnd;
    private FakeChannel _channel = null!;
    private ulong _unique = 100;

    /// <summary>A world with one daemon.</summary>
    /// <param name="openNodesMax">Most nodes that it keeps open; the others have handles.</param>
    public KeptWorld(int? openNodesMax = null)
    {
        _openNodesMax = openNodesMax;
        (var ours, int theirs) = UnixSocket.PacketPair();
        _supervisorEnd = new Link(ours);
        _daemonEnd = new Link(UnixSocket.TakeInherited(theirs));
        State = KeptState.Create(EntriesMax, SlotsMax);
        using FileDescriptor root = ServedDirectory.Open(Path, null);
        Shelf.Keep(0, ServedDirectory.OpenPath(root, out _));
        State.Slots[0] = new KeptSlot { Id = NodeId.Root.Value, Kind = KeptKind.Node };
        State.Header.SlotsUsed = 1;
        State.Header.LastNodeId = NodeId.Root.Value;
        Start();
    }

    /// <summary>The served directory.</summary>
    public string Path => _directory.FullName;

    public KeptState State { get; }

    public DescriptorShelf Shelf { get; } = new(SlotsMax);

    public PassthroughFileSystem Files { get; private set; } = null!;

    public RequestJournal Journal { get; private set; } = null!;

    /// <summary>What stands between the session and its journal, to make the daemon die at a chosen moment.</summary>
    public MortalJournal Death { get; private set; } = null!;

    /// <summary>Slots that mean something.</summary>
    public int SlotsFilled => State.Slots.ToArray().Count(slot => slot.Id != 0);

    /// <summary>Entries of requests that the kernel has no answer to.</summary>
    public int EntriesOpen => State.Journal.ToArray().Count(entry => entry.State != JournalState.Free);

    /// <summary>The daemon dies, without a word, and another takes its place.</summary>
    public void HandOver()
    {
        Drain();
        _channel.Dispose();
        Start();
    }

    /// <summary>Delivers a request with the next number.</summary>
    public Answer Ask(Func<ulong, byte[]> request) => Deliver(request(_unique += UniqueStep));

    /// <summary>Delivers the last request as the kernel does after RESEND.</summary>
    public Answer AskAgain(Func<ulong, byte[]> request) => Deliver(request(_unique | Protocol.UniqueResend));

    /// <summary>Makes the entry of a request that was begun, and goes no further.</summary>
    public void OnlyBegin(Func<ulong, byte[]> request, ulong note = 0)
    {
        int entry = Journal.Begin(MemoryMarshal.Read<InHeader>(request(_unique += UniqueStep)));
        Journal.Note(entry) = note;
    }

    /// <summary>Looks a name up.</summary>
    /// <returns>Its node id.</returns>
    public ulong Lookup(string name, ulong parent = 1) =>
        Ask(unique => FuseMessage.Build(Opcode.Lookup, unique, FuseMessage.Name(name), parent)).As<EntryOut>().Nodeid;

    public string Host(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        Files.Dispose();
        _channel.Dispose();
        Shelf.Dispose();
        _daemonEnd.Dispose();
        _supervisorEnd.Dispose();
        State.Dispose();
        _directory.Delete(recursive: true);
    }

    /// <summary>The supervisor takes what the daemon has sent.</summary>
    public void Drain()
    {
        while (_supervisorEnd.Receive(wait: false) == true)
        {
            if (_supervisorEnd.Verb == LinkVerb.Keep)
            {
                Shelf.Keep(_supervisorEnd.Values[0], _supervisorEnd.Descriptors[0]);
            }
            else
            {
                Assert.Equal(LinkVerb.Drop, _supervisorEnd.Verb);
                Shelf.Drop(_supervisorEnd.Values[0]);
            }
        }
    }

    private void Start()
    {
        State.Header.Generation++;
        Journal = new RequestJournal(State);
        Death = new MortalJournal(Journal);
        Files = new PassthroughFileSystem(
            new PassthroughOptions { Directory = "/gone/if/anybody/looks", OpenNodesMax = _openNodesMax },
            new KeptDescriptors(State, _daemonEnd, Journal, Copies()));
        var session = new FuseSession(Files, new SessionOptions()) { Journal = Death };
        session.Resume(new NegotiatedInit
        {
            Minor = 45,
            Flags = InitFlags.SetxattrExt,
            Offered = InitFlags.HasResend,
            Refused = InitFlags.None,
            MaxWrite = 1 << 16,
            MaxReadahead = 0,
            MaxBackground = 12,
            CongestionThreshold = 9,
        });
        _channel = new FakeChannel(session, RequestShape.Device) { Agreed = InitFlags.SetxattrExt };
    }

    /// <summary>What is on the shelf, as another process would get it.</summary>
    private Dictionary<int, int> Copies()
    {
        var copies = new Dictionary<int, int>();
        for (int slot = 0; slot < SlotsMax; slot++)
        {
            if (Shelf.Find((uint)slot) is int fd)
            {
                copies[slot] = Syscall.dup(fd);
                Assert.True(copies[slot] >= 0);
            }
        }

        return copies;
    }

    private Answer Deliver(byte[] message)
    {
        FakeRequest request = _channel.Deliver(message);
        Assert.Equal(1, request.Replies);
        return new Answer(request.Error, request.ReplyBuffer.Span[..request.ReplyLength].ToArray());
    }

    /// <summary>What a request was answered.</summary>
    public sealed record Answer(Errno Error, byte[] Payload)
    {
        public T As<T>()
            where T : unmanaged
        {
            Assert.Equal(Errnos.Ok, Error);
            return MemoryMarshal.Read<T>(Payload);
        }

        public string Text => Encoding.UTF8.GetString(Payload);
    }
}

/// <summary>A journal whose daemon may die before it has recorded an answer, or before it has sent it.</summary>
internal sealed class MortalJournal(IRequestJournal inner) : IRequestJournal
{
    public bool BeforeRecording { get; set; }

    public bool BeforeSending { get; set; }

    public int Begin(in InHeader header) => inner.Begin(in header);

    public int Find(ulong unique) => inner.Find(unique);

    public bool TryGetAnswer(int entry, out Errno error, out ReadOnlySpan<byte> reply) => inner.TryGetAnswer(entry, out error, out reply);

    public void Record(int entry, Errno error, ReadOnlySpan<byte> reply)
    {
        if (!BeforeRecording)
        {
            inner.Record(entry, error, reply);
        }
    }

    public void End(int entry)
    {
        if (!BeforeRecording && !BeforeSending)
        {
            inner.End(entry);
        }
    }

    public ref ulong Note(int entry) => ref inner.Note(entry);
}
