using System.Net;
using DistillSharp.Extending;

namespace DistillSharp.Serve;

/// <summary>What is served, and where.</summary>
public sealed record ServeOptions
{
    /// <summary>The port that is taken unless another is asked for.</summary>
    public const int DefaultPort = 6160;

    /// <summary>The folder of all runs; it is created when absent.</summary>
    public required string RunsRoot { get; init; }

    /// <summary>The address of the network to listen on. Any but this machine's own (loopback) lets in only who knows a token.</summary>
    public IPAddress Network { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 for any that is free.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>What the names in runs' recipes stand for, when their networks are to be run.</summary>
    public Toolkit Toolkit { get; init; } = Toolkit.BuiltIn;
}
