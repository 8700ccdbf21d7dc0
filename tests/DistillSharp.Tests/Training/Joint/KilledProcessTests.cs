using System.Diagnostics;
using System.Globalization;
using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Launching;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Formats;
using DistillSharp.Formats.Tensors;
using DistillSharp.Interop;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training.Joint;

/// <summary>
/// Two processes train together as the launcher starts them; one is killed, and they go on from what process 0 left on the disk.
/// </summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class KilledProcessTests : IDisposable
{
    public const string TrainRole = "train-with-others";

    const int Kills = 10, Steps = TinyRecipe.Steps;
    static readonly TimeSpan patience = TimeSpan.FromMinutes(3);

    readonly TemporaryFolder folder = new();
    readonly TinyRecipe recipes;

    public KilledProcessTests() => recipes = new(folder);

    public void Dispose() => folder.Dispose();

    /// <summary>The child: one of the processes. Process 0 notes each step in a file.</summary>
    public static int Train(string[] arguments)
    {
        Runtime.Threads = 1;
        try
        {
            var rendezvous = ProcessVariables.Read(Environment.GetEnvironmentVariable);
            var experiment = new Experiment(Recipe.Load(arguments[0]), arguments[1], new Notes(arguments[3])) { Rendezvous = rendezvous };
            return experiment.Run(arguments[2], resume: true).Training.Completed ? 0 : 1;
        }
        catch (UserException error)
        {
            // Process 0 writes where the test host does, which has words of its own to say.
            if (Environment.GetEnvironmentVariable("RANK") != "0") Console.Error.WriteLine(error.Message);
            return 1;
        }
    }

    [Fact]
    public async Task A_run_of_two_whose_second_is_killed_at_random_steps_ends_as_one_left_alone()
    {
        var recipe = recipes.Write("killed", "crd, feature_dim: 16, negatives: 12");
        Assert.Equal(new(0, null), await Launch(recipe, "alone", long.MaxValue));
        var alone = TinyRecipe.Finished(folder["alone/run"]);

        // Well before the end, which two processes must not reach before the kill does.
        var steps = Enumerable.Range(0, Kills).Select(_ => Random.Shared.Next(Steps - 5)).Order().ToArray();
        foreach (var step in steps)
        {
            var result = await Launch(recipe, "killed", step > TinyRecipe.Checkpointed(folder["killed/run"]) ? step : 0);
            Assert.StartsWith("process 1 of 2 was ended by signal 9, and the others were ended with it", result.Failure);
            Assert.Equal(1, result.ExitCode);
        }
        Assert.Equal(new(0, null), await Launch(recipe, "killed", long.MaxValue));
        Assert.True(alone == TinyRecipe.Finished(folder["killed/run"]), $"killed after these steps: {string.Join(", ", steps)}");
    }

    [Fact]
    public async Task Two_processes_train_the_student_that_one_trains()
    {
        var recipe = recipes.Write("two", "fsecd", epochs: 1, train: ", sync_norm: true");
        Assert.Equal(new(0, null), await Launch(recipe, "two", long.MaxValue));
        Assert.Equal(new(0, null), await Launch(recipe, "one", long.MaxValue, processes: 1));
        var (two, one) = (Weights("two"), Weights("one"));
        Assert.Equal(one.Keys, two.Keys);
        foreach (var (name, expected) in one)
        {
            var difference =
                Math.Sqrt(expected.Zip(two[name], (a, b) => (a - b) * (a - b)).Sum() / Math.Max(1e-6, expected.Sum(a => a * a)));
            Assert.True(difference < 1e-4, $"{name} differs by {difference}");
        }

        Dictionary<string, double[]> Weights(string root) => WeightsFile.Read(Path.Combine(folder[root], "run", StudentFile.FileName))
            .ToDictionary(tensor => tensor.Name, tensor => tensor.ToTensor().ToArray<double>());
    }

    [Fact]
    public async Task The_last_lines_of_a_process_that_fails_are_told()
    {
        var launcher =
            new ProcessLauncher(
                2, ["bash", "-c", "if [ $RANK = 1 ]; then echo first >&2; echo the reason >&2; exit 3; fi; sleep 60"])
            {
                Patience = TimeSpan.FromSeconds(0.2)
            };
        var clock = Stopwatch.StartNew();
        var result = await launcher.Run();
        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith("process 1 of 2 ended with exit code 3, and the others were ended with it; its last lines:\n", result.Failure);
        Assert.EndsWith("  the reason", result.Failure);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 30);
    }

    // Kills process 1 once that step was done.
    async Task<LaunchResult> Launch(string recipe, string root, long killAfter, int processes = 2)
    {
        var (notes, victim) = (folder[$"{root}-steps"], 0);
        File.WriteAllText(notes, "");
        var launcher = new ProcessLauncher(processes, [.. ChildProgram.Command, TrainRole, recipe, folder[root], "run", notes])
        {
            Started = (rank, process) => victim = rank == 1 ? process : victim,
        };
        var run = launcher.Run();
        var clock = Stopwatch.StartNew();
        while (killAfter < long.MaxValue && !run.IsCompleted)
        {
            Assert.True(clock.Elapsed < patience);
            if (File.ReadLines(notes).LastOrDefault() is { } last && long.Parse(last, CultureInfo.InvariantCulture) >= killAfter)
            {
                using var process = Process.GetProcessById(victim);
                process.Kill();
                break;
            }
            await Task.Delay(1);
        }
        return await run.WaitAsync(patience);
    }

    sealed class Notes(string path) : TrainingObserver
    {
        public override void Started(TrainingPlan plan) => File.AppendAllText(path, "0\n");

        public override void Stepped(StepReport report) => File.AppendAllText(path, $"{report.Step}\n");

        public override void Warned(string message) => Console.Error.WriteLine(message);
    }
}
