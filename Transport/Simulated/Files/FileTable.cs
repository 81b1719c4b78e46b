namespace Harness.Transport.Simulated.Files;

/// <summary>A process's open files by descriptor; each new one gets the lowest number that is free.</summary>
public sealed class FileTable
{
    private readonly List<OpenFile?> _files = [];

    internal int Add(OpenFile file)
    {
        int free = _files.IndexOf(null);
        if (free >= 0)
        {
            _files[free] = file;
            return free;
        }

        _files.Add(file);
        return _files.Count - 1;
    }

    internal OpenFile? Find(int descriptor) => (uint)descriptor < (uint)_files.Count ? _files[descriptor] : null;

    internal void Remove(int descriptor) => _files[descriptor] = null;
}
