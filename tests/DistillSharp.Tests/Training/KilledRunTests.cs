using System.Diagnostics;
using System.Globalization;
using DistillSharp.Formats;
using DistillSharp.Models;
using DistillSharp.Recipes;
using DistillSharp.Runs;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>Processes that train are killed, go on from what they left on the disk, and end as one that was left alone.</summary>
[Collection(WholeProcessCollection.Name)]
public sealed class KilledRunTests : IDisposable
{
    public const string TrainRole = "train-recipe";

    const int KillsOfEach = 5, Epochs = 6;
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
        SafeTensors.Write(folder["teacher.safetensors"], teacher.StoredState());
    }

    public void Dispose() => folder.Dispose();

    /// <summary>The child: trains by a recipe in a run folder, or goes on with it, and says when it has begun.</summary>
    public static int Train(string[] arguments)
    {
        Runtime.Threads = 1;
        var result = new Experiment(Recipe.Load(arguments[0]), arguments[1], new Announcer()).Run(arguments[2], resume: true);
        return result.Training.Completed ? 0 : 1;
    }

    [LongFact]
    public void A_run_killed_at_random_moments_ends_as_one_left_alone()
    {
        var methods = new[] { ("ce", ""), ("kd", "kd"), ("crd", "crd, feature_dim: 16, negatives: 12"), ("fsecd", "fsecd") };
        Parallel.ForEach(methods, new() { MaxDegreeOfParallelism = 2 }, method => KillAndCompare(method.Item1, method.Item2));
    }

    void KillAndCompare(string name, string method)
    {
        var recipe = WriteRecipe(name, method);
        var (aloneRoot, killedRoot) = (folder[$"{name}-alone"], folder[$"{name}-killed"]);

        TimeSpan whole;
        using (var child = Start(recipe, aloneRoot, name))
        {
            var clock = AwaitBeginning(child);
            AssertEnds(child);
            whole = clock.Elapsed;
        }
        var alone = Finished(Path.Combine(aloneRoot, name));

        var kills = 0;
        var moments = "";
        while (kills < KillsOfEach)
        {
            // All five fit into one run unless the machine has become faster meanwhile; then a further run takes the rest.
            using var child = Start(recipe, killedRoot, name);
            var wait = Random.Shared.NextDouble() * whole / KillsOfEach;
            // One in five comes while the process still starts, restores or creates its folder.
            if (kills != 2) AwaitBeginning(child);
            Thread.Sleep(wait);
            child.Kill();
            Assert.True(child.WaitForExit(patience));
            if (child.ExitCode == 0)
            {
                Assert.Equal(alone, Finished(Path.Combine(killedRoot, name)));
                Directory.Delete(killedRoot, recursive: true);
                continue;
            }
            kills++;
            moments += string.Create(CultureInfo.InvariantCulture, $" {wait.TotalMilliseconds:0}");
        }
        using (var child = Start(recipe, killedRoot, name)) AssertEnds(child);
        Assert.True(alone == Finished(Path.Combine(killedRoot, name)), $"{name}, killed after (ms):{moments}");
    }

    [Fact]
    public void A_second_process_is_refused_with_the_first_ones_pid()
    {
        var recipe = WriteRecipe("ce", "", epochs: 10_000);
        var path = Path.Combine(folder["runs"], "busy");
        using var first = Start(recipe, folder["runs"], "busy");
        try
        {
            AwaitBeginning(first);
            var error = Assert.Throws<UserException>(() => new Experiment(Recipe.Load(recipe), folder["runs"], TrainingObserver.Of()).Run("busy", resume: true));
            Assert.Equal($"{path} is in use by process {first.Id}; wait for it to end, or give this run another name", error.Message);
            Assert.Equal(first.Id, StoredRun.Load(path).Process);
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
        var run = StoredRun.Load(path);
        Assert.Equal(RunState.Finished, run.State);
        Assert.Equal(Enumerable.Range(1, Epochs), run.Metrics.Select(epoch => epoch.Epoch));
        Assert.Equal(Epochs, File.ReadAllLines(Path.Combine(path, RunFolder.MetricsFile)).Length);
        var checkpoints = new CheckpointStore(Path.Combine(path, RunFolder.CheckpointsFolder));
        Assert.Equal(
            ["best.safetensors", "step-000000017.safetensors", "step-000000018.safetensors"],
            Directory.GetFiles(checkpoints.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        return string.Join('\n',
        [
            Convert.ToHexString(File.ReadAllBytes(Path.Combine(path, StudentFile.FileName))),
            TinyTraining.Text(run.Metrics.Select(epoch => epoch with { Seconds = 0, ImagesPerSecond = 0 })),
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

    static Stopwatch AwaitBeginning(Process child)
    {
        var line = child.StandardOutput.ReadLine();
        if (line is null) Assert.Fail($"the child ended: {child.StandardError.ReadToEnd()}");
        Assert.Equal("training", line);
        return Stopwatch.StartNew();
    }

    static void AssertEnds(Process child)
    {
        if (!child.WaitForExit(patience)) child.Kill();
        Assert.True(child.ExitCode == 0, child.StandardError.ReadToEnd());
    }

    sealed class Announcer : TrainingObserver
    {
        public override void Started(TrainingPlan plan) => Console.WriteLine("training");

        public override void Warned(string message) => Console.Error.WriteLine(message);
    }
}
