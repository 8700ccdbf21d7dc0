using System.Diagnostics;
using System.Globalization;
using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>Processes that train are killed, go on from what they left on the disk, and end as one that was left alone.</summary>
[Collection(WholeProcessCollection.Name)]
public sealed class KilledRunTests : IDisposable
{
    public const string TrainRole = "train-recipe";

    const int KillsOfEach = 5, Epochs = 6, Steps = 18;
    static readonly TimeSpan patience = TimeSpan.FromMinutes(3);

    readonly TemporaryFolder folder = new();

    public KilledRunTests()
    {
        // 20 images in batches of 8: three steps an epoch.
        SmallFiles.Write(folder["data"],
        [
            ("train-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(20 * 784, 1), 20, 28, 28)),
            ("train-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 20).Select(i => (byte)(i * 7 % 10))], 20)),
            ("t10k-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(10 * 784, 2), 10, 28, 28)),
            ("t10k-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 10).Select(i => (byte)i)], 10)),
        ]);
        using var teacher = Networks.Create("mobilenet_v2_half", 10, seed: 99);
        SafeTensorsFile.Write(folder["teacher.safetensors"], teacher.StoredState());
    }

    public void Dispose() => folder.Dispose();

    /// <summary>The child: trains by a recipe in a run folder, or goes on with it, and says when it has begun, and after each step.</summary>
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
        var recipe = WriteRecipe(name, method);
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
        var alone = Finished(Path.Combine(aloneRoot, name));

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
                Await(child, (int)moments[i] > Checkpointed(killedRun) ? (int)moments[i] : 0);
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
            Assert.Equal(alone, Finished(killedRun));
            Directory.Delete(killedRoot, recursive: true);
            moments[i] = Random.Shared.NextDouble() * (Steps - 1);
            moments.AsSpan(i).Sort();
        }
        using (var child = Start(recipe, killedRoot, name)) AssertEnds(child);
        Assert.True(alone == Finished(killedRun), string.Create(CultureInfo.InvariantCulture,
            $"{name}, killed after these steps: {string.Join(", ", moments.Select(moment => moment.ToString("0.00", CultureInfo.InvariantCulture)))}"));
    }

    [Fact]
    public void A_second_process_is_refused_with_the_first_ones_pid()
    {
        var recipe = WriteRecipe("ce", "", epochs: 10_000);
        var path = Path.Combine(folder["runs"], "busy");
        using var first = Start(recipe, folder["runs"], "busy");
        try
        {
            Await(first, 0);
            var error = Assert.Throws<UserException>(() => new Experiment(Recipe.Load(recipe), folder["runs"], TrainingObserver.Of()).Run("busy", resume: true));
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

    /// <summary>What a finished run comes to, in one text: weights, metrics without times, the last checkpoint, and no leftovers.</summary>
    static string Finished(string path)
    {
        var run = RunReader.Load(path);
        Assert.Equal(RunState.Finished, run.State);
        Assert.Equal(Enumerable.Range(1, Epochs), run.Metrics.Select(epoch => epoch.Epoch));
        Assert.Equal(Epochs, File.ReadAllLines(Path.Combine(path, RunFiles.Metrics)).Length);
        var checkpoints = new CheckpointStore(Path.Combine(path, RunFiles.Checkpoints));
        Assert.Equal(
            ["best.safetensors", "step-000000017.safetensors", "step-000000018.safetensors"],
            Directory.GetFiles(checkpoints.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        return string.Join('\n',
        [
            Convert.ToHexString(File.ReadAllBytes(Path.Combine(path, StudentFile.FileName))),
            TinyTraining.Text(run.Metrics.Select(epoch => epoch with { Seconds = 0, ImagesPerSecond = 0, TeacherRemembered = null })),
            .. TinyTraining.Latest(checkpoints).Select(entry => $"{entry.Key} {entry.Value}"),
            .. TinyTraining.Content(Checkpoint.Read(checkpoints.BestPath)).Select(entry => $"{entry.Key} {entry.Value}"),
        ]);
    }

    string WriteRecipe(string name, string method, int epochs = Epochs)
    {
        // A checkpoint after every step: the shorter the way between two, the more kills meet one being written.
        var teacher = method == "" ? "" : $"teacher: {{ network: mobilenet_v2_half, weights: '{folder["teacher.safetensors"]}' }}\nmethods: [ {{ name: {method} }} ]";
        File.WriteAllText(folder[$"{name}.yaml"], $$"""
            data: { set: fashion-mnist, root: '{{folder["data"]}}', batch: 8, augment: [crop, flip] }
            student: { network: resnet8 }
            {{teacher}}
            train: { epochs: {{epochs}}, lr: 0.05, schedule: cosine, precision: fp32, seed: 7, checkpoint_minutes: 0.000001 }
            """);
        return folder[$"{name}.yaml"];
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

    /// <summary>The step of the latest checkpoint; the next process goes on from there.</summary>
    static int Checkpointed(string run) =>
        new CheckpointStore(Path.Combine(run, RunFiles.Checkpoints)).Files is [var latest, ..]
            ? int.Parse(Path.GetFileNameWithoutExtension(latest)["step-".Length..], CultureInfo.InvariantCulture)
            : 0;

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
