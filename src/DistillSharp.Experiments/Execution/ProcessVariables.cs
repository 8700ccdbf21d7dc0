using DistillSharp.Torch.Distributed;

namespace DistillSharp.Experiments.Execution;

/// <summary>
/// Joins the processes of a run as PyTorch programs do: by the environment variables RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and
/// MASTER_PORT, which <c>distill launch</c> and torchrun set for the processes that they start.
/// </summary>
public static class ProcessVariables
{
    /// <summary>Seconds that one process waits for another; 300 where it is not set.</summary>
    public const string TimeoutName = "DISTILL_PROCESS_TIMEOUT";

    const string SizeName = "WORLD_SIZE", RankName = "RANK", LocalRankName = "LOCAL_RANK", HostName = "MASTER_ADDR",
        PortName = "MASTER_PORT";

    /// <summary>What the variables say; null where this process trains alone.</summary>
    /// <param name="variable">Reads a variable.</param>
    /// <exception cref="UsageException">A variable is missing or makes no sense.</exception>
    public static Rendezvous? Read(Func<string, string?> variable)
    {
        if (Text(SizeName) is null || Number(SizeName, 1, int.MaxValue) is var size && size == 1) return null;
        var rank = Number(RankName, 0, size - 1);
        var isTorchruns = Text("TORCHELASTIC_USE_AGENT_STORE") == "True";
        return new(rank, size, Text(HostName) ?? throw Missing(HostName), Number(PortName, 1, ushort.MaxValue))
        {
            LocalRank = Text(LocalRankName) is null ? rank : Number(LocalRankName, 0, size - 1),
            // torchrun keeps one store over all its restarts.
            StoreIsKept = isTorchruns,
            Prefix = isTorchruns ? $"/worker/attempt_{Text("TORCHELASTIC_RESTART_COUNT")}/distillsharp" : "distillsharp",
            Timeout = TimeSpan.FromSeconds(Text(TimeoutName) is null ? 300 : Number(TimeoutName, 1, 1_000_000)),
        };

        string? Text(string name) => variable(name) is { Length: > 0 } text ? text : null;

        int Number(string name, int min, int max)
        {
            var text = Text(name) ?? throw Missing(name);
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
                ? number
                : throw new UsageException(
                    $"{name} is '{text}'; it must be a whole number from {min}{(max == int.MaxValue ? "" : $" to {max}")}");
        }

        UsageException Missing(string name) => new($"{SizeName} is {Text(SizeName)}, so processes are to train together, but {name} is not "
            + $"set; 'distill launch' and torchrun set {RankName}, {SizeName}, {LocalRankName}, {HostName} and {PortName} for each");
    }

    /// <summary>Which GPU is this process's own: where the recipe says cuda, that of its place on its machine.</summary>
    public static Device DeviceOf(Device device, Rendezvous? rendezvous) =>
        rendezvous is not null && device is { Type: DeviceType.Cuda, Index: < 0 } ? Device.Cuda(rendezvous.LocalRank) : device;

    /// <summary>Joins the other processes.</summary>
    /// <param name="rendezvous">Where they meet.</param>
    /// <param name="device">What this process computes on.</param>
    /// <exception cref="UserException">They did not come in time, or this build cannot join processes.</exception>
    public static ProcessGroup Join(Rendezvous rendezvous, Device device)
    {
        try { return ProcessGroup.Join(rendezvous, device); }
        catch (NotSupportedException error)
        {
            throw new UserException($"{rendezvous.Size} processes are to train together: {error.Message}", error);
        }
        catch (ProcessGroupException error)
        {
            throw new UserException($"process {rendezvous.Rank} of {rendezvous.Size} did not find the others at "
                + $"{rendezvous.Host}:{rendezvous.Port} within {rendezvous.Timeout.TotalSeconds:0.###} s ({error.Message}); {HostName} and "
                + $"{PortName} must name a place on the machine of process 0 that all can reach", error);
        }
    }
}
