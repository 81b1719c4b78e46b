using System.Globalization;

namespace Harness.Cluster.Net;

/// <summary>Where a node listens: a host and a port, written <c>host:port</c>, an IPv6 address in brackets.</summary>
/// <param name="Host">A literal IP address on the real network; any name in simulation.</param>
/// <param name="Port">0 asks for any free port when listening.</param>
internal readonly record struct NodeAddress(string Host, int Port)
{
    /// <summary>Reads <c>host:port</c>.</summary>
    public static bool TryParse(string text, out NodeAddress address)
    {
        address = default;
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            return false;
        }

        string host = text[..colon];
        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (!bracketed && host.Contains(':', StringComparison.Ordinal))
        {
            return false;
        }

        address = new NodeAddress(bracketed ? host[1..^1] : host, port);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
