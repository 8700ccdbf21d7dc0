using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using DistillSharp.Data;
using DistillSharp.Formats.Tensors;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch.Distributed;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Training;

/// <summary>
/// What processes that train together agree on: at the start that they train the same, from the same state; in every step whether to
/// stop; before the student is measured, one set of statistics. Process 0 keeps the books.
/// </summary>
sealed class JointTraining(ProcessGroup processes, Classifier student, Objective objective, Optimizer optimizer, AveragedStudent? average)
{
    public int Count => processes.Size;

    /// <summary>Batches of which each process takes its share.</summary>
    public static BatchOptions Shared(BatchOptions options, ProcessGroup? processes) =>
        processes is null ? options : options with { Rank = processes.Rank, Processes = processes.Size };

    /// <summary>A sentence on what a checkpoint of another number of processes means; null where the number is the same.</summary>
    public static string? Change(int before, int now, bool syncNorm) => before == now ? null
        : $"the checkpoint is of {Counted(before)}, and {Counted(now)} go{(now == 1 ? "es" : "")} on: every step sees the same images "
            + "in the same order, but sums are rounded otherwise"
            + (syncNorm ? "" : ", and batch norm without sync_norm takes its statistics over other shares")
            + ", so the weights will not be, bit for bit, those of an undisturbed run";

    /// <summary>Makes sure that all processes train the same, and gives them the state of process 0 and where that stands.</summary>
    /// <exception cref="UserException">The processes were given different things to train.</exception>
    public TrainingProgress Begin(TrainingProgress progress, ImageSet images, TrainingOptions options)
    {
        var state = student.State().Concat(objective.State());
        Agree("the networks and methods", string.Join('\n', state.Select(entry => $"{entry.Name} {string.Join(',', entry.Tensor.Shape)}")));
        Agree("the training images",
            $"{images.Count} {images.Height}x{images.Width} {Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(images.Labels)))}");
        Agree("the training options", Shown(options));
        var told = Tell(processes.Rank == 0 ? Checkpoint.Of(progress, student, objective, optimizer, average?.State()) : null);
        if (processes.Rank > 0) told.Restore(student, objective, optimizer, "the state that process 0 sent", average?.State());
        Agree("the weights that process 0 sent", Checkpoint.Of(told.Progress, student, objective, optimizer, average?.State()).Digest());
        return told.Progress;
    }

    /// <summary>Whether one of the processes is to stop, and what they found out about the images; all get the same answer.</summary>
    public (bool Stops, IReadOnlyList<DamageReport> Reports) Agree(bool stops, DamageReport own)
    {
        using var scope = TensorScope.Open();
        var all = processes.Sum(Tensor.From([stops ? 1L : 0, own.IsEmpty ? 0L : 1]).To(processes.Device)).ToArray<long>();
        return (all[0] > 0, all[1] > 0 ? Gather(own) : []);
    }

    /// <summary>Gives all processes the running statistics of process 0: those of batch norms that are not synchronized differ.</summary>
    public void ShareStatistics()
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        foreach (var (_, values) in average?.State() ?? [])
            if (values.Dimensions == 1) processes.Broadcast(values);
        var norms = SharedGradients.Norms(student, objective);
        Tensor[] statistics = [.. norms.SelectMany(norm => new[] { norm.RunningMean, norm.RunningVar })];
        if (statistics.Length == 0) return;
        var all = processes.Broadcast(Tensor.Cat([.. statistics.Select(values => values.Detach())]));
        long first = 0;
        foreach (var values in statistics)
        {
            values.CopyFrom(all.Narrow(0, first, values.Count));
            first += values.Count;
        }
    }

    /// <summary>What to tell the user when the processes lost one another.</summary>
    public UserException Report(ProcessGroupException lost, TrainingProgress progress) => new(
        $"process {processes.Rank} of {processes.Size} stops after step {progress.Step} (epoch {progress.Epoch}): " +
        (lost.TimedOut
            ? $"another process did not answer within {processes.Timeout.TotalSeconds:0.###} s"
            : "the connection to another process broke, as it does when that one ends") +
        $" ({lost.Message}); resume all of them, and they go on from the last checkpoint", lost);

    // What decides the run, but not where it is computed or what is remembered.
    static string Shown(TrainingOptions options) =>
        (options with
        {
            Processes = null,
            Device = default,
            TeacherMemory = null,
            TeacherFolder = null,
            CheckpointEvery = null,
            KeepCheckpoints = 0,
            LoaderThreads = null,
        }).ToString();

    void Agree(string what, string own)
    {
        using var scope = TensorScope.Open();
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(own));
        var all = processes.Gather(Tensor.From(digest).To(processes.Device)).ToArray<byte>().Chunk(digest.Length).ToArray();
        var other = Array.FindIndex(all, theirs => !theirs.SequenceEqual(all[0]));
        if (other >= 0)
            throw new UserException($"{what} of process {other} are not those of process 0; give all processes the same recipe, the same "
                + "files and the same program");
    }

    // Of each process, in the order of their ranks.
    T[] Gather<T>(T own)
    {
        using var scope = TensorScope.Open();
        var bytes = JsonSerializer.SerializeToUtf8Bytes(own);
        var lengths = processes.Gather(Tensor.From([(long)bytes.Length]).To(processes.Device)).ToArray<long>();
        // All send as many bytes as the longest has.
        var longest = (int)lengths.Max();
        var all = processes.Gather(Tensor.From([.. bytes, .. new byte[longest - bytes.Length]]).To(processes.Device)).ToArray<byte>();
        return [.. lengths.Select((length, rank) => JsonSerializer.Deserialize<T>(all.AsSpan(rank * longest, (int)length))!)];
    }

    Checkpoint Tell(Checkpoint? own)
    {
        var head = own is null ? [] : JsonSerializer.SerializeToUtf8Bytes(new Head(own.Progress,
            [.. own.Tensors.Select(tensor => new Entry(tensor.Name, tensor.Type, [.. tensor.Shape], tensor.Data.Length))]));
        var (progress, entries) = JsonSerializer.Deserialize<Head>(Tell(head, (int)Tell(head.Length)))!;
        return new(progress, [.. entries.Select((entry, i) =>
            new StoredTensor(entry.Name, entry.Type, entry.Shape, Tell(own is null ? [] : own.Tensors[i].Data.Span, entry.Bytes)))]);
    }

    long Tell(long value)
    {
        using var scope = TensorScope.Open();
        return processes.Broadcast(Tensor.From([value]).To(processes.Device)).ToArray<long>()[0];
    }

    byte[] Tell(ReadOnlySpan<byte> bytes, int count)
    {
        if (count == 0) return [];
        using var scope = TensorScope.Open();
        var sent = processes.Rank == 0 ? Tensor.From(bytes, count) : Tensor.Zeros([count], DType.UInt8);
        return processes.Broadcast(sent.To(processes.Device)).ToArray<byte>();
    }

    static string Counted(int processes) => processes == 1 ? "1 process" : $"{processes} processes";

    sealed record Head(TrainingProgress Progress, Entry[] Tensors);

    sealed record Entry(string Name, DType Type, long[] Shape, int Bytes);
}
