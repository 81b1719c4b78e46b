using System.Net;
using System.Net.Sockets;
using Harness.Cluster.Net;
using Harness.Experiments.Commands;
using Harness.Experiments.Plan.Values;
using Harness.Transport;

namespace Harness.Experiments.Clusters;

/// <summary>Addresses as people write them: <c>HOST:PORT</c>, several separated by commas, a host by name or number.</summary>
internal static class Addresses
{
    /// <summary>Reads one.</summary>
    /// <param name="what">The option, for the error.</param>
    /// <param name="text">What it says.</param>
    /// <exception cref="BadArgumentsException">It is no address.</exception>
    public static NodeAddress Read(string what, string text) => NodeAddress.TryParse(text, out NodeAddress address)
        ? address
        : throw new BadArgumentsException($"{what}: {Quoted.Text(text)} is no address; allowed: HOST:PORT, an IPv6 address in brackets.");

    /// <summary>Reads several.</summary>
    /// <exception cref="BadArgumentsException">One is no address, or there is none.</exception>
    public static IReadOnlyList<NodeAddress> ReadList(string what, string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 0 ? [.. parts.Select(part => Read(what, part))] : [Read(what, text)];
    }

    /// <summary>Whether it reads as addresses rather than as a directory.</summary>
    public static bool AreMeantBy(string text) =>
        !text.Contains('/', StringComparison.Ordinal) && text.Split(',').All(static part => NodeAddress.TryParse(part.Trim(), out _));

    /// <summary>Finds the number of a host that is given by its name.</summary>
    /// <exception cref="FuseTransportException">Nobody knows it.</exception>
    public static NodeAddress Resolve(NodeAddress address)
    {
        if (address.Host == "localhost" || IPAddress.TryParse(address.Host, out _))
        {
            return address;
        }

        try
        {
            IPAddress[] found = Dns.GetHostAddresses(address.Host);
            IPAddress chosen = found.FirstOrDefault(static each => each.AddressFamily == AddressFamily.InterNetwork) ?? found[0];
            return address with { Host = chosen.ToString() };
        }
        catch (Exception exception) when (exception is SocketException or IndexOutOfRangeException)
        {
            throw new FuseTransportException($"The host {address.Host} cannot be found: {exception.Message}", exception);
        }
    }
}
