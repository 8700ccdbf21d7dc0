using System.Security.Cryptography;
using System.Text.Json;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.Tensors;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Training;

/// <summary>
/// Everything that decides how a run goes on: student, methods, optimizer, and where it stands. One safetensors file, the
/// progress as JSON in its header, with a digest over all of it.
/// </summary>
/// <param name="Progress">Where the run stands.</param>
/// <param name="Tensors">
/// The student's state under <c>student.</c>, the methods' under <c>objective.</c>, the moving average under <c>average.</c>, the
/// optimizer's under its own names, such as <c>momentum.</c>, before those of the parameters.
/// </param>
public sealed record Checkpoint(TrainingProgress Progress, IReadOnlyList<StoredTensor> Tensors)
{
    const string ProgressKey = "distillsharp.progress", DigestKey = "distillsharp.digest";

    /// <summary>Copies the state of a run.</summary>
    /// <param name="progress">Where it stands.</param>
    /// <param name="student">The student.</param>
    /// <param name="objective">The methods.</param>
    /// <param name="optimizer">The optimizer of both.</param>
    /// <param name="average">The moving average of the weights, by their names; null where there is none.</param>
    public static Checkpoint Of(
        TrainingProgress progress, Classifier student, Objective objective, Optimizer optimizer,
        IEnumerable<(string Name, Tensor Tensor)>? average = null)
    {
        var names = TrainedNames(student, objective).ToArray();
        var remembered =
            from state in optimizer.States
            from entry in names.Zip(state.Values)
            where entry.Second is not null
            select entry.Second.ToStored($"{state.Name}.{entry.First}");
        return new(progress with { TermSums = new(progress.TermSums) },
            [.. Targets(student, objective, average).Select(entry => entry.Tensor.ToStored(entry.Name)), .. remembered]);
    }

    /// <summary>Puts the tensors back where they came from; the progress is the caller's to take over.</summary>
    /// <param name="student">The student.</param>
    /// <param name="objective">The methods.</param>
    /// <param name="optimizer">The optimizer of both.</param>
    /// <param name="source">The checkpoint's file, for messages.</param>
    /// <param name="average">The moving average of the weights, by their names; null where there is none.</param>
    /// <exception cref="UserException">The checkpoint is of another network, pair or set of methods.</exception>
    public void Restore(
        Classifier student, Objective objective, Optimizer optimizer, string source,
        IEnumerable<(string Name, Tensor Tensor)>? average = null)
    {
        var stored = Tensors.ToDictionary(tensor => tensor.Name);
        var targets = Targets(student, objective, average).ToArray();
        var wrong = targets
            .Where(target => !stored.TryGetValue(target.Name, out var value) || !value.Shape.SequenceEqual(target.Tensor.Shape))
            .Select(target => target.Name).ToArray();
        if (wrong.Length > 0)
            throw new UserException($"{source}: this checkpoint is not of this run; missing or of another shape: "
                + $"{string.Join(", ", wrong.Take(5))}{(wrong.Length > 5 ? $" and {wrong.Length - 5} more" : "")}");

        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        foreach (var (name, tensor) in targets) tensor.CopyFrom(stored[name].ToTensor());
        var names = TrainedNames(student, objective).ToArray();
        foreach (var state in optimizer.States)
            for (var i = 0; i < names.Length; i++)
                if (stored.TryGetValue($"{state.Name}.{names[i]}", out var value)) optimizer.SetState(state, i, value.ToTensor());
    }

    /// <summary>Writes the checkpoint: whole, flushed to the disk, or not at all.</summary>
    /// <exception cref="UserException">It cannot be written.</exception>
    public void Write(string path)
    {
        var progress = JsonSerializer.Serialize(Progress);
        SafeTensorsFile.Write(path, Tensors, [new(ProgressKey, progress), new(DigestKey, Digest(progress))]);
    }

    /// <summary>Reads a checkpoint and checks its digest.</summary>
    /// <exception cref="UserException">It is missing, cut short or changed.</exception>
    public static Checkpoint Read(string path)
    {
        var file = SafeTensorsFile.Read(path);
        if (!file.Metadata.TryGetValue(ProgressKey, out var text) || !file.Metadata.TryGetValue(DigestKey, out var digest))
            throw new UserException($"{path}: this is no checkpoint of a training run");
        try
        {
            var checkpoint = new Checkpoint(
                JsonSerializer.Deserialize<TrainingProgress>(text) ?? throw new JsonException("it is null"), file.Tensors);
            if (checkpoint.Digest(text) != digest)
                throw new UserException($"{path}: the checkpoint is damaged: its content does "
                    + "not have the digest that was written with it");
            return checkpoint;
        }
        catch (JsonException error)
        {
            throw new UserException($"{path}: the checkpoint's progress cannot be read: {error.Message}", error);
        }
    }

    /// <summary>A digest over all of it, by which processes see whether they have the same.</summary>
    internal string Digest() => Digest(JsonSerializer.Serialize(Progress));

    string Digest(string progress)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(Encoding.UTF8.GetBytes(progress));
        foreach (var tensor in Tensors)
        {
            Append(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.Type} {string.Join(",", tensor.Shape)}"));
            Append(tensor.Data.Span);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Append(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(BitConverter.GetBytes((long)bytes.Length));
            hash.AppendData(bytes);
        }
    }

    static IEnumerable<string> TrainedNames(Classifier student, Objective objective) =>
        student.NamedParameters().Select(parameter => $"student.{parameter.Name}")
            .Concat(objective.NamedParameters().Select(parameter => $"objective.{parameter.Name}"));

    static IEnumerable<(string Name, Tensor Tensor)> Targets(
        Classifier student, Objective objective, IEnumerable<(string Name, Tensor Tensor)>? average) =>
        student.State().Select(entry => ($"student.{entry.Name}", entry.Tensor))
            .Concat(objective.State().Select(entry => ($"objective.{entry.Name}", entry.Tensor)))
            .Concat((average ?? []).Select(entry => ($"average.{entry.Name}", entry.Tensor)));
}
