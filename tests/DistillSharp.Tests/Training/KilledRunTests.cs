using System.Diagnostics;
using System.Globalization;
using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>Processes that train are killed, go on from what they left on the disk, and end as one that was left alone.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class KilledRunTests : IDisposable
{
    public const string TrainRole = "train-recipe";

    const int KillsOfEach = 5, Steps = TinyRecipe.Steps;
    static readonly TimeSpan patience = TimeSpan.FromMinutes(3);

    readonly TemporaryFolder folder = new();

    readonly TinyRecipe recipes;

    public KilledRunTests() => recipes = new(folder);

    public void Dispose() => folder.Dispose();

    /// <summary>
    /// The child: trains by a recipe in a run folder, or goes on with it, and says when it has begun, and after each step.
    /// </summary>
    public static int Train(string[] arguments)
    {
        Runtime.Threads = 1;
        var result = new Experiment(Recipe.Load(arguments[0]), arguments[1], new Announcer()).Run(arguments[2], resume: true);
        return result.Training.Completed ? 0 : 1;
    }

    [Fact]
    public void A_run_killed_at_random_moments_ends_as_one_left_alone()
    {
        var methods = new[] { ("ce", ""), ("kd", "kd"), ("crd", "crd, feature_dim: 16, negatives: 12"), ("fsecd", "fsecd") };
        Parallel.ForEach(methods, new() { MaxDegreeOfParallelism = 2 }, method => KillAndCompare(method.Item1, method.Item2));
    }

    void KillAndCompare(string name, string method)
    {
        var recipe = recipes.Write(name, method);
        var (aloneRoot, killedRoot) = (folder[$"{name}-alone"], folder[$"{name}-killed"]);
        var killedRun = Path.Combine(killedRoot, name);

        TimeSpan start, step;
        using (var child = Start(recipe, aloneRoot, name))
        {
            var clock = Stopwatch.StartNew();
            Await(child, 0);
            start = clock.Elapsed;
            Await(child, Steps);
            step = (clock.Elapsed - start) / Steps;
            AssertEnds(child);
        }
        var alone = TinyRecipe.Finished(Path.Combine(aloneRoot, name));

        // Moments are counted in steps, so that a busy machine kills where an idle one does: 3.5 is half a step's time after
        // the third step's end, when that step's checkpoint is being written or the fourth is under way. What lies beyond the
        // last step are the last measurement and the student's file.
        var moments = Enumerable.Range(0, KillsOfEach).Select(_ => Random.Shared.NextDouble() * (Steps + 1)).Order().ToArray();
        for (var i = 0; i < moments.Length;)
        {
            using var child = Start(recipe, killedRoot, name);
            // One in five comes while the process still starts, restores or creates its folder.
            if (i == 2) Thread.Sleep(Random.Shared.NextDouble() * start);
            else
            {
                Await(child, (int)moments[i] > TinyRecipe.Checkpointed(killedRun) ? (int)moments[i] : 0);
                Thread.Sleep(moments[i] % 1 * step);
            }
            child.Kill();
            Assert.True(child.WaitForExit(patience));
            if (child.ExitCode != 0)
            {
                i++;
                continue;
            }
            // It had ended before: that was no kill, and the others go to a further run.
            Assert.Equal(alone, TinyRecipe.Finished(killedRun));
            Directory.Delete(killedRoot, recursive: true);
            moments[i] = Random.Shared.NextDouble() * (Steps - 1);
            moments.AsSpan(i).Sort();
        }
        using (var child = Start(recipe, killedRoot, name)) AssertEnds(child);
        Assert.True(alone == TinyRecipe.Finished(killedRun), string.Create(CultureInfo.InvariantCulture,
            $"{name}, killed after these steps: "
            + $"{string.Join(", ", moments.Select(moment => moment.ToString("0.00", CultureInfo.InvariantCulture)))}"));
    }

    [Fact]
    public void A_second_process_is_refused_with_the_first_ones_pid()
    {
        var recipe = recipes.Write("ce", "", epochs: 10_000);
        var path = Path.Combine(folder["runs"], "busy");
        using var first = Start(recipe, folder["runs"], "busy");
        try
        {
            Await(first, 0);
            var error =
                Assert.Throws<UserException>(
                    () => new Experiment(Recipe.Load(recipe), folder["runs"], TrainingObserver.Of()).Run("busy", resume: true));
            Assert.Equal($"{path} is in use by process {first.Id}; wait for it to end, or give this run another name", error.Message);
            Assert.Equal(first.Id, RunReader.Load(path).Process);
            Assert.False(first.HasExited);
        }
        finally
        {
            first.Kill();
            first.WaitForExit();
        }
    }

    static Process Start(string recipe, string root, string name) =>
        ChildProgram.StartIn("export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive DOTNET_TieredPGO=0", TrainRole, recipe, root, name);

    /// <summary>Returns when the child has done a step; for 0, when it is about to train.</summary>
    static void Await(Process child, int step)
    {
        while (child.StandardOutput.ReadLine() is { } line)
            if (int.Parse(line, CultureInfo.InvariantCulture) >= step) return;
        Assert.Fail($"the child ended: {child.StandardError.ReadToEnd()}");
    }

    static void AssertEnds(Process child)
    {
        if (!child.WaitForExit(patience)) child.Kill();
        Assert.True(child.ExitCode == 0, child.StandardError.ReadToEnd());
    }

    sealed class Announcer : TrainingObserver
    {
        public override void Started(TrainingPlan plan) => Console.WriteLine(0);

        public override void Stepped(StepReport report) => Console.WriteLine(report.Step);

        public override void Warned(string message) => Console.Error.WriteLine(message);
    }
}
