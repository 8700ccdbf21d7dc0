using DistillSharp.Evaluation;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Interop;

namespace DistillSharp.Experiments.Measurement;

/// <summary>A run and what its networks make of the test images.</summary>
/// <param name="Run">Its folder's content.</param>
public sealed record MeasuredRun(RunReader Run)
{
    /// <summary>What its student makes of the images; null where the student cannot be run.</summary>
    public NetworkOutputs? Student { get; init; }

    /// <summary>The same of its teacher; runs with the same teacher share one object.</summary>
    public NetworkOutputs? Teacher { get; init; }

    /// <summary>Why outputs are missing, in one sentence for the reader.</summary>
    public string? Missing { get; init; }
}

/// <summary>Runs whose networks were run over one and the same test images.</summary>
/// <param name="Runs">The runs, in the order asked for.</param>
/// <param name="Images">The images; null where no run's could be read.</param>
public sealed record MeasuredRuns(IReadOnlyList<MeasuredRun> Runs, ImageSet? Images)
{
    /// <summary>
    /// Reads runs, and runs their students and teachers over the test images. What cannot be had (a student not trained yet, a
    /// teacher's file that is gone) is said in <see cref="MeasuredRun.Missing"/>.
    /// </summary>
    /// <param name="folders">The runs' folders.</param>
    /// <param name="root">The folder of the data set; null for the one that each run was trained on.</param>
    /// <param name="images">Use at most so many test images, as many of each class; null for all that the run was measured on.</param>
    /// <param name="progress">Hears what is being done, and how far it is.</param>
    /// <param name="toolkit">What the recipes' names stand for; null for what comes with the library.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="UserException">A folder is no run, or a recipe cannot be read.</exception>
    /// <exception cref="UsageException">The runs were measured on different images.</exception>
    public static MeasuredRuns Load(IReadOnlyList<string> folders, string? root = null,
        int? images = null, IProgress<WorkProgress>? progress = null, Toolkit? toolkit = null, CancellationToken cancel = default) =>
        new Loader(root, images, progress, toolkit ?? Toolkit.BuiltIn, cancel).Load(folders);

    sealed class Loader(string? root, int? limit, IProgress<WorkProgress>? progress, Toolkit toolkit, CancellationToken cancel)
    {
        readonly Dictionary<string, Dataset> datasets = [];
        readonly Dictionary<string, NetworkOutputs> teachers = [];
        (string Run, ImageSet Images)? shared;

        sealed record Prepared(RunReader Run, Recipe Recipe, Dataset? Data, string? Missing);

        // All images before any network: runs that do not belong together are refused at once, not after minutes.
        public MeasuredRuns Load(IReadOnlyList<string> folders)
        {
            var prepared = folders.Select(folder => RunReader.Load(folder)).ToList().ConvertAll(Prepare);
            return new([.. prepared.Select(Measure)], shared?.Images);
        }

        Prepared Prepare(RunReader run)
        {
            var recipe =
                Recipe.Parse(run.Recipe, Path.Combine(run.Path, RunFiles.Recipe), toolkit, root is null ? [] : [$"data.root={root}"]);
            try
            {
                var data = DataOf(recipe);
                Share(run, data.Test);
                return new(run, recipe, data, null);
            }
            catch (UserException e) when (e is not UsageException) { return new(run, recipe, null, e.Message); }
        }

        MeasuredRun Measure(Prepared prepared)
        {
            var (run, recipe, data, missing) = prepared;
            var measured = new MeasuredRun(run) { Missing = missing };
            if (data is null) return measured;
            try
            {
                measured = measured with { Student = StudentOf(run, recipe, data) };
                return recipe.Teacher is { } teacher ? measured with { Teacher = TeacherOf(run, teacher, recipe, data) } : measured;
            }
            catch (UserException e) when (e is not UsageException) { return measured with { Missing = e.Message }; }
        }

        Dataset DataOf(Recipe recipe)
        {
            var (section, key) = (recipe.Data, Key(recipe));
            if (datasets.TryGetValue(key, out var known)) return known;
            progress?.Report(new($"reading {section.Set}"));
            var data = recipe.LoadData(progress);
            return datasets[key] = limit is null ? data : data with { Test = data.Test.Subset(limit.Value) };
        }

        // The images of the first run that has any are everyone's: pictures side by side are of the same images.
        void Share(RunReader run, ImageSet images)
        {
            if (shared is null) shared = (run.Manifest.Name, images);
            else if (shared is var (name, others) && others != images
                && !(others.Labels.SequenceEqual(images.Labels) && others.ClassNames.SequenceEqual(images.ClassNames)
                    && others.Pixels.SequenceEqual(images.Pixels)))
                throw new UsageException(
                    $"{name} and {run.Manifest.Name} were measured on different images; give runs of one data set and one data.test_limit");
        }

        NetworkOutputs StudentOf(RunReader run, Recipe recipe, Dataset data)
        {
            var (network, _) = StudentFile.Load(run.Path, toolkit);
            using (network)
                return Outputs(network, recipe, data, $"running the student of {run.Manifest.Name} over {data.Test.Count} images");
        }

        NetworkOutputs TeacherOf(RunReader run, TeacherSection teacher, Recipe recipe, Dataset data)
        {
            var own = Path.Combine(run.Path, StudentFile.AverageFileName);
            var from = teacher.IsAverage ? own : string.Join('|', teacher.Members.Select(member =>
                $"{member.Name}|{Path.GetFullPath(member.File)}|{Own(member.Input)}|{member.Weight}"));
            var key = $"{from}|{Key(recipe)}";
            if (teachers.TryGetValue(key, out var known)) return known;
            using var network = teacher.IsAverage ? StudentFile.Load(own, toolkit).Network : teacher.Load(data, recipe.Toolkit);
            return teachers[key] = Outputs(
                network, recipe, teacher.Shown(data), $"running the teacher {teacher.Name} over {data.Test.Count} images");
        }

        NetworkOutputs Outputs(Classifier network, Recipe recipe, Dataset data, string work)
        {
            network.To(recipe.Train.Device);
            progress?.Report(new(work, 0, data.Test.Count));
            return NetworkOutputs.Of(
                network, data.Test, data.Normalization, device: recipe.Train.Device, batchSize: recipe.Train.EvaluateBatch,
                progress: progress is null ? null : new NamedProgress(progress, work), cancel: cancel);
        }

        static string Own(TeacherInput? input) => input is null ? ""
            : $"{input.Size} {string.Join(',', input.Mean ?? [])} {string.Join(',', input.Std ?? [])}";

        static string Key(Recipe recipe) =>
            $"{recipe.Data.Set}|{recipe.Data.Size}|{Path.GetFullPath(recipe.Data.Root)}|{recipe.Data.TestLimit}|"
                + $"{string.Join(',', recipe.Data.Mean)}|{string.Join(',', recipe.Data.Std)}";
    }

    // Which of the networks it is, only the loader knows.
    sealed class NamedProgress(IProgress<WorkProgress> progress, string work) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => progress.Report(value with { Work = work });
    }
}
