namespace DistillSharp.Torch.Distributed;

/// <summary>
/// Processes that compute together lost one another: one ended, or did not answer in time. What they share is no longer the same in all of
/// them; each must end.
/// </summary>
public sealed class ProcessGroupException : Exception
{
    internal ProcessGroupException(string message) : base(message) =>
        TimedOut = message.Contains("imed out", StringComparison.Ordinal) || message.Contains("imeout", StringComparison.Ordinal);

    /// <summary>Whether others did not answer in time; else the connection to one broke, as it does when its process ends.</summary>
    public bool TimedOut { get; }
}
