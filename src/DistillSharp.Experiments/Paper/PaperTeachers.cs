using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Interop;

namespace DistillSharp.Experiments.Paper;

/// <summary>A teacher that is there.</summary>
/// <param name="Network">Its network.</param>
/// <param name="File">Its weights, a PyTorch state dict.</param>
/// <param name="Result">What its training came to; null where the file was there already.</param>
public sealed record KeptTeacher(string Network, string File, ExperimentResult? Result);

/// <summary>
/// Trains the teachers that the paper's tables need, from the labels alone, and keeps them as <c>NAME.pth</c>, where the
/// paper's recipes look for them. Beside each lies a <see cref="TeacherCard"/>.
/// </summary>
/// <param name="folder">Where they are kept.</param>
/// <param name="runsRoot">The folder of all runs; a teacher's is <c>teacher-NAME</c>.</param>
/// <param name="observer">Watches the runs.</param>
public sealed class PaperTeachers(string folder, string runsRoot, TrainingObserver observer)
{
    /// <summary>The teachers that are meant, each once.</summary>
    /// <param name="wanted">Tables (<c>3</c>, <c>table3</c>) or names of teachers (<c>resnet56</c>, <c>teacher/resnet56</c>).</param>
    /// <exception cref="UsageException">Something else is given.</exception>
    public static IReadOnlyList<string> Needed(IEnumerable<string> wanted)
    {
        var known = PaperResults.All.Select(result => result.Teacher).Distinct().ToList();
        return [.. wanted.SelectMany(Meant).Distinct()];

        IEnumerable<string> Meant(string word)
        {
            var number = word.StartsWith("table", StringComparison.Ordinal) ? word["table".Length..] : word;
            if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var table))
                return PaperResults.Tables.Contains(table)
                    ? PaperResults.All.Where(result => result.Table == table).Select(result => result.Teacher)
                    : throw new UsageException(
                        $"there is no table {table}; the paper's tables of results are {string.Join(", ", PaperResults.Tables)}");
            var name = word.StartsWith("teacher/", StringComparison.Ordinal) ? word["teacher/".Length..] : word;
            if (known.Contains(name)) return [name];
            var hint = Nearest.Hint(name, known) is { Length: > 0 } nearest ? nearest : $"; they are {string.Join(", ", known)}";
            throw new UsageException($"'{word}' is no teacher of the paper{hint}");
        }
    }

    /// <summary>Trains those that are not there. One that was cut off goes on from its last checkpoint.</summary>
    /// <param name="networks">As <see cref="Needed"/> gives them.</param>
    /// <param name="overrides">Values that replace the recipe's, each as <c>path=value</c>.</param>
    /// <param name="stop">Ends the run under way after its step, with a checkpoint.</param>
    /// <returns>Those that are there at the end; fewer when it was stopped.</returns>
    /// <exception cref="UserException">The data is missing, a run fails, or a file cannot be written.</exception>
    /// <exception cref="UsageException">An override is wrong, or a run was begun with others.</exception>
    public IReadOnlyList<KeptTeacher> Train(
        IReadOnlyList<string> networks, IReadOnlyList<string>? overrides = null, CancellationToken stop = default)
    {
        var kept = new List<KeptTeacher>();
        foreach (var network in networks)
        {
            var file = Path.Combine(folder, network + ".pth");
            if (File.Exists(file))
            {
                observer.Said($"The teacher {network}: {file} is there");
                kept.Add(new(network, file, null));
                continue;
            }
            observer.Said($"The teacher {network}");
            var recipe = PaperRecipes.Get($"teacher/{network}", overrides ?? []);
            var result = new Experiment(recipe, runsRoot, observer).Run($"teacher-{network}", resume: true, stop: stop);
            if (!result.Training.Completed) break;
            Keep(result, file);
            kept.Add(new(network, file, result));
        }
        return kept;
    }

    void Keep(ExperimentResult result, string file)
    {
        FileTrouble.Told($"cannot create {folder}", () => Directory.CreateDirectory(folder));
        var (network, _) = StudentFile.Load(result.Folder);
        using (network)
        {
            // The card first: weights without one would count as trained by the protocol.
            var state = network.StoredState();
            TeacherCard.Of(RunSummary.Of(RunReader.Load(result.Folder))).Write(file);
            PyTorchFile.Write(file, state);
        }
    }
}
