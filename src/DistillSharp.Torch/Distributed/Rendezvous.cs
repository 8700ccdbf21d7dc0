namespace DistillSharp.Torch.Distributed;

/// <summary>Where processes find one another, and which of them this one is.</summary>
/// <param name="Rank">This process, from 0.</param>
/// <param name="Size">How many there are.</param>
/// <param name="Host">The machine where their store listens.</param>
/// <param name="Port">The store's port.</param>
public sealed record Rendezvous(int Rank, int Size, string Host, int Port)
{
    /// <summary>Which of the processes of its own machine this is, from 0: that GPU is its own.</summary>
    public int LocalRank { get; init; }

    /// <summary>Whether somebody else keeps the store, as torchrun does; else process 0 does.</summary>
    public bool StoreIsKept { get; init; }

    /// <summary>Keeps what these processes store apart from what others, or they before a restart, put into the same store.</summary>
    public string Prefix { get; init; } = "distillsharp";

    /// <summary>How long one process waits for another: when they join, and in every step afterwards.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);
}
