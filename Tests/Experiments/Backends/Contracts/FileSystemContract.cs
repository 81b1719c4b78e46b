using Harness.FuseProtocol;

namespace Harness.Tests.Experiments.Backends.Contracts;

/// <summary>Claims that every writable file system must fulfil. A derived class names the file system.</summary>
public abstract class FileSystemContract : IDisposable
{
    protected const ulong Root = FileSystemClient.Root;

    private readonly IFileSystem _fileSystem;

    private protected FileSystemContract(Func<IFileSystem> make)
    {
        _fileSystem = make();
        Fs = new FileSystemClient(_fileSystem);
    }

    private protected FileSystemClient Fs { get; }

    private protected IFileSystem FileSystem => _fileSystem;

    public void Dispose()
    {
        (_fileSystem as IDisposable)?.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected ulong MakeFile(ulong parent, string name, string text = "")
    {
        ulong node = Fs.Create(parent, name).Ok().Entry.Nodeid;
        if (text.Length > 0)
        {
            Fs.Write(node, 0, text).Ok();
        }

        return node;
    }

    private protected ulong MakeDirectory(ulong parent, string name) => Fs.Mkdir(parent, name).Ok().Nodeid;
}
