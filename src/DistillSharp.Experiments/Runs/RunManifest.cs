using System.Text.Json.Serialization;
using DistillSharp.Experiments.Recipes;

namespace DistillSharp.Experiments.Runs;

/// <summary>Where a run stands.</summary>
public enum RunState
{
    /// <summary>Training now, or cut off without a word: only the folder's lock tells which (<see cref="RunReader.State"/>).</summary>
    [JsonStringEnumMemberName("running")] Running,
    /// <summary>Trained to its last epoch.</summary>
    [JsonStringEnumMemberName("finished")] Finished,
    /// <summary>Stopped by an error; <see cref="RunManifest.Failure"/> says which.</summary>
    [JsonStringEnumMemberName("failed")] Failed,
    /// <summary>Stopped before its last epoch; it can be resumed.</summary>
    [JsonStringEnumMemberName("interrupted")] Interrupted,
}

/// <summary>A method as a run used it. Its settings are in the recipe; these two place a result in a table.</summary>
/// <param name="Name">The registered name, such as <c>fsecd</c>.</param>
/// <param name="Policy">FSECD's choice of positive pairs, <c>instance</c> or <c>class</c>; null for methods without one.</param>
public sealed record MethodUse(string Name, string? Policy = null);

/// <summary>The versions that a run was made with.</summary>
/// <param name="DistillSharp">This library's version.</param>
/// <param name="Libtorch">libtorch's version, as the native layer reports it.</param>
/// <param name="Dotnet">The .NET runtime's version.</param>
public sealed record RunVersions([property: JsonPropertyName("distillsharp")] string DistillSharp, string? Libtorch, string Dotnet)
{
    /// <summary>The versions of this process.</summary>
    /// <param name="libtorch">What the native layer says, or null when it was not loaded.</param>
    public static RunVersions Current(string? libtorch) => new(
        typeof(RunVersions).Assembly.GetName().Version?.ToString(3) ?? "unknown", libtorch, Environment.Version.ToString());
}

/// <summary>
/// What <c>run.json</c> says about a run: everything that finds it, compares it and puts it in a table, apart from the recipe
/// and the metrics, which have files of their own.
/// </summary>
public sealed record RunManifest
{
    /// <summary>The run's name, which is its folder's name. <see cref="RunFolder.Create"/> may append a number to it.</summary>
    public required string Name { get; init; }

    /// <summary>When the run was created (UTC).</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>When it finished, failed or was interrupted (UTC); null while it runs.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>The state last written. Read <see cref="RunReader.State"/> to learn whether a process still stands behind it.</summary>
    public required RunState State { get; init; }

    /// <summary>Why it failed, in one sentence.</summary>
    public string? Failure { get; init; }

    /// <summary>The machine it was started on.</summary>
    public MachineDescription? Machine { get; init; }

    /// <summary>How many cores its process was given; its speed is that of these.</summary>
    public int? Threads { get; init; }

    /// <summary>The versions it was started with.</summary>
    public RunVersions? Versions { get; init; }

    /// <summary>The digest of the resolved recipe (<see cref="Recipes.RecipeDigest"/>).</summary>
    public string RecipeDigest { get; init; } = "";

    /// <summary>What of the training changed on the way, as <c>train.lr 0.05 → 0.01</c>; null where nothing did.</summary>
    public IReadOnlyList<string>? Changes { get; init; }

    /// <summary>The data set's registered name, such as <c>cifar100</c>.</summary>
    public required string Dataset { get; init; }

    /// <summary>How many images it trained on. A table compares it with the whole set, so that a subset shows.</summary>
    public int? TrainImages { get; init; }

    /// <summary>How many images its accuracy was measured on.</summary>
    public int? TestImages { get; init; }

    /// <summary>How many images turned out damaged on the way and were left out; null for none.</summary>
    public int? SkippedImages { get; init; }

    /// <summary>The first <see cref="MaxSkippedFiles"/> of their names.</summary>
    public IReadOnlyList<string>? SkippedFiles { get; init; }

    /// <summary>The teacher's network; null without one.</summary>
    public string? Teacher { get; init; }

    /// <summary>In what the teacher's own training departs from the paper's protocol; null where that is not known.</summary>
    public IReadOnlyList<string>? TeacherDepartures { get; init; }

    /// <summary>The teacher's accuracy in percent before the first step; null where it was not looked at.</summary>
    public double? TeacherAcc1 { get; init; }

    /// <summary>On how many test images <see cref="TeacherAcc1"/> was measured.</summary>
    public int? TeacherImages { get; init; }

    /// <summary>The student's network.</summary>
    public required string Student { get; init; }

    /// <summary>The methods beside cross-entropy; empty for cross-entropy alone.</summary>
    public IReadOnlyList<MethodUse> Methods { get; init; } = [];

    /// <summary>The seed.</summary>
    public required long Seed { get; init; }

    /// <summary>How many epochs were asked for.</summary>
    public required int Epochs { get; init; }

    /// <summary>Images per training step over all processes.</summary>
    public int? Batch { get; init; }

    /// <summary>The precision really used, <c>fp32</c> or <c>bf16</c> (what <c>auto</c> was resolved to).</summary>
    public string? Precision { get; init; }

    /// <summary>The device it trained on, such as <c>cpu</c> or <c>cuda</c>.</summary>
    public string? Device { get; init; }

    /// <summary>The student's parameters.</summary>
    public long? Parameters { get; init; }

    /// <summary>How many names of damaged images a record keeps.</summary>
    public const int MaxSkippedFiles = 100;

    /// <summary>The record with one more image that was left out; the same where its name stands there already.</summary>
    internal RunManifest WithSkipped(string file)
    {
        var files = SkippedFiles ?? [];
        return files.Contains(file) ? this : this with
        {
            SkippedImages = (SkippedImages ?? 0) + 1,
            SkippedFiles = files.Count < MaxSkippedFiles ? [.. files, file] : files,
        };
    }

    /// <summary>The record of a recipe's run, before anything is loaded: what the data and the trainer tell is still missing.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="name">The wanted name; from the recipe when null.</param>
    public static RunManifest Of(Recipe recipe, string? name = null) => new()
    {
        Name = name ?? RunName.Suggest(recipe), State = RunState.Running, Dataset = recipe.Data.Set, Teacher = recipe.Teacher?.Name,
        Student = recipe.Student.Network,
        Methods = [.. recipe.Methods.Select(m => new MethodUse(m.Name, m.Settings.GetValueOrDefault("policy")))],
        Seed = recipe.Train.Seed, Epochs = recipe.Train.Epochs, Batch = recipe.Data.Batch, Device = recipe.Train.Device.ToString(),
        RecipeDigest = recipe.Digest,
    };

    /// <summary>The policy of the method that has one; null without such.</summary>
    internal string? Policy => Methods.FirstOrDefault(m => m.Policy is not null)?.Policy;

    /// <summary>The methods in a table's words: <c>ce</c>, <c>fsecd</c>, <c>kd+crd</c>.</summary>
    [JsonIgnore]
    public string MethodLabel => Methods.Count == 0 ? "ce" : string.Join('+', Methods.Select(m => m.Name));
}
