using System.Reflection;
using BenchmarkDotNet.Running;
using Harness.Benchmarks.Cluster;

if (args is ["chunks" or "chunk-server", _, ..])
{
    return await ChunkBench.Run(args);
}

BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(args);
return 0;
