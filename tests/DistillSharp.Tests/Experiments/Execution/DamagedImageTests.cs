using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Torch.Distributed;
using DistillSharp.Torch.Tests.Distributed;
using DistillSharp.Training;

namespace DistillSharp.Tests.Experiments.Execution;

/// <summary>A photograph whose damage shows only when it is decoded ends a run with a checkpoint, or is left out and counted.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class DamagedImageTests : IDisposable
{
    const int Images = 20, Batch = 5;

    readonly TemporaryFolder folder = new();
    readonly string damaged;
    readonly byte[] whole;

    public DamagedImageTests()
    {
        for (var i = 0; i < Images; i++) Put($"train/{"ab"[i * 2 / Images]}/{i:00}.jpg", i);
        for (var i = 0; i < 4; i++) Put($"val/{"ab"[i / 2]}/{i}.jpg", 100 + i);
        // The one that the third step of the first epoch sees.
        damaged = Seen(2 * Batch + 1);
        whole = File.ReadAllBytes(damaged);
    }

    static int At => EpochOrder.Shuffled(Images, 1, 1)[2 * Batch + 1];

    // The file of the image at a place of the first epoch's order.
    string Seen(int place)
    {
        var at = EpochOrder.Shuffled(Images, 1, 1)[place];
        return folder[$"train/{"ab"[at / (Images / 2)]}/{at:00}.jpg"];
    }

    public void Dispose() => folder.Dispose();

    void Put(string path, int seed)
    {
        var pixels = new byte[64 * 64 * 3];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(128 + 100 * Math.Sin(i * (seed + 3) / 500.0));
        Directory.CreateDirectory(Path.GetDirectoryName(folder[path])!);
        File.WriteAllBytes(folder[path], ImageCodec.EncodeJpeg(pixels, 64, 64, 95));
    }

    // Its beginning and end stay, so that it is not found before it is decoded.
    static void Damage(string path)
    {
        var file = File.ReadAllBytes(path);
        (file[file.Length / 2], file[file.Length / 2 + 1]) = (0xff, 0xd9);
        File.WriteAllBytes(path, file);
    }

    Recipe Recipe(params string[] overrides) => DistillSharp.Experiments.Recipes.Recipe.Parse($$"""
        data: { set: image-folder, root: '{{folder.Path}}', size: 32, batch: {{Batch}}, augment: [flip] }
        student: { network: resnet8 }
        train: { epochs: 2, lr: 0.05, schedule: constant, precision: fp32, seed: 1 }
        """, "test.yaml", overrides);

    RunReader Train(string runs, bool resume = false, params string[] overrides) =>
        RunReader.Load(new Experiment(Recipe(overrides), folder[runs], TrainingObserver.Of()).Run("run", resume).Folder);

    // As two processes would; what each failed with, or null, and the warnings of the one that tells them.
    (Exception?[] Failures, List<string> Warnings) TrainTogether(string runs, params string[] overrides)
    {
        var (failures, warnings) = (new Exception?[2], new Warnings());
        var port = Ranks.FreePort();
        var ranks = Enumerable.Range(0, 2).Select(rank => new Thread(() =>
        {
            try
            {
                var rendezvous = new Rendezvous(rank, 2, "127.0.0.1", port) { Timeout = TimeSpan.FromSeconds(60) };
                new Experiment(Recipe(overrides), folder[runs], warnings) { Rendezvous = rendezvous }.Run("run", resume: true);
            }
            catch (UserException failure)
            {
                failures[rank] = failure;
            }
        })).ToArray();
        foreach (var rank in ranks) rank.Start();
        foreach (var rank in ranks) rank.Join();
        return (failures, warnings.Heard);
    }

    string Weights(string runs) => Convert.ToHexString(File.ReadAllBytes(Path.Combine(folder[runs], "run", StudentFile.FileName)));

    void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(folder[from], "*", SearchOption.AllDirectories))
        {
            var path = Path.Combine(folder[to], Path.GetRelativePath(folder[from], file));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(file, path);
        }
    }

    [Fact]
    public void A_run_that_stops_at_one_loses_no_step_and_goes_on_once_it_is_mended_removed_or_left_out()
    {
        Train("undisturbed");
        Damage(damaged);
        AssertStops(resume: false);
        var run = RunReader.Load(Path.Combine(folder["stopped"], "run"));
        Assert.Equal(RunState.Failed, run.State);
        // Still damaged: it stops at the same step, and nothing that was trained is lost.
        AssertStops(resume: true);

        Copy("stopped", "skipping");
        var skipping = Train("skipping", resume: true, "data.damaged=skip");
        Assert.Equal(["data.damaged stop → skip"], skipping.Manifest.Changes);
        Assert.Equal((1, damaged), (skipping.Manifest.SkippedImages, Assert.Single(skipping.Manifest.SkippedFiles!)));
        Train("skipped", overrides: "data.damaged=skip");
        Assert.Equal(Weights("skipped"), Weights("skipping"));

        Copy("stopped", "mended");
        File.WriteAllBytes(damaged, whole);
        Assert.Null(Train("mended", resume: true).Manifest.SkippedImages);
        Assert.Equal(Weights("undisturbed"), Weights("mended"));
        Assert.NotEqual(Weights("undisturbed"), Weights("skipped"));

        File.Delete(damaged);
        var removed = Train("stopped", resume: true);
        Assert.Equal((RunState.Finished, 2), (removed.State, removed.Metrics.Count));

        void AssertStops(bool resume)
        {
            var failure = Assert.Throws<UserException>(() => Train("stopped", resume));
            Assert.StartsWith($"'{damaged}' is a damaged JPEG image: ", failure.Message);
            Assert.EndsWith("leave it out by data.damaged=skip, and the run, resumed, goes on after step 2", failure.Message);
            var checkpoints = new CheckpointStore(Path.Combine(folder["stopped"], "run", RunFiles.Checkpoints));
            Assert.Equal("step-000000002.safetensors", Path.GetFileName(checkpoints.Files[0]));
        }
    }

    [Fact]
    public void One_that_is_left_out_is_replaced_by_the_next_of_its_class_and_never_measured()
    {
        Damage(damaged);
        Damage(folder["val/a/1.jpg"]);
        var set = Extending.Toolkit.BuiltIn.Datasets["image-folder"];
        var data = set.Load(folder.Path, 32, skipDamaged: true);
        var next = (At + 1) % (Images / 2) + At / (Images / 2) * (Images / 2);
        Assert.Equal(data.Train.Original(next).Pixels.ToArray(), data.Train.Original(At).Pixels.ToArray());
        Assert.Equal(data.Train.Image(next).Pixels.ToArray(), data.Train.Image(At).Pixels.ToArray());
        Assert.Equal(damaged, Assert.Single(data.Train.Skipped).File);
        Assert.True(data.Train.IsSkipped(At) && !data.Train.IsSkipped(next));

        using var network = Networks.Create("resnet8", 2, seed: 1);
        var measured = Accuracy.Measure(network, data.Test, data.Normalization, batchSize: 2);
        Assert.Equal(3, measured.Images);
        File.Delete(folder["val/a/1.jpg"]);
        Assert.Equal(measured, Accuracy.Measure(network, set.Load(folder.Path, 32).Test, data.Normalization, batchSize: 2));

        foreach (var file in Directory.GetFiles(folder["train/a"]).Where(file => file != damaged)) Damage(file);
        Damage(damaged);
        Assert.Contains(
            "no image of the class a can be read",
            Assert.Throws<UserException>(() => _ = set.Load(folder.Path, 32, skipDamaged: true).Train.Original(0)).Message);
    }

    [Fact]
    public void A_damaged_test_image_costs_no_training()
    {
        Damage(folder["val/b/3.jpg"]);
        var failure = Assert.Throws<UserException>(() => Train("runs"));
        Assert.EndsWith("and the run, resumed, goes on after step 4", failure.Message);
        var run = Train("runs", resume: true, "data.damaged=skip");
        Assert.Equal((RunState.Finished, 1), (run.State, run.Manifest.SkippedImages));
        // Of three images, not of four.
        Assert.All(run.Metrics, epoch => Assert.Equal(Math.Round(epoch.Acc1!.Value * .03), epoch.Acc1.Value * .03, 1e-6));
    }

    // Of five images process 0 sees two, process 1 the others.
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Two_processes_leave_out_what_one_leaves_out_whichever_meets_it(int row)
    {
        // From a file, since both threads draw from one generator; so slow that losses stay whatever a last digit does to the gradients.
        using (var network = Networks.Create("resnet8", 2, seed: 1))
            SafeTensorsFile.Write(folder["start.safetensors"], network.StoredState());
        string[] overrides =
            ["data.damaged=skip", "train.sync_norm=true", "train.lr=1e-5", $"student.weights={folder["start.safetensors"]}"];
        var found = Seen(2 * Batch + row);
        var undisturbed = Train("undisturbed", overrides: overrides);
        Damage(found);
        Damage(folder["val/b/3.jpg"]);
        Assert.Equal(Batches(0, 1), [.. Batches(0, 2).Zip(Batches(1, 2), (first, second) => (float[])[.. first, .. second])]);

        var alone = new Warnings();
        new Experiment(Recipe(overrides), folder["one"], alone).Run("run");
        var (failures, warnings) = TrainTogether("two", overrides);
        Assert.All(failures, Assert.Null);
        Assert.Equal(alone.Heard, warnings);
        Assert.Equal(2, warnings.Count);
        Assert.StartsWith($"'{found}' is a damaged JPEG image: ", warnings[0]);
        Assert.EndsWith("it is left out, and another of its class is seen instead (1 so far)", warnings[0]);
        Assert.EndsWith("it is left out, and the accuracy is that of the others (2 so far)", warnings[1]);
        var (one, two) = (RunReader.Load(Path.Combine(folder["one"], "run")), RunReader.Load(Path.Combine(folder["two"], "run")));
        Assert.Equal((2, 2), (one.Manifest.SkippedImages, two.Manifest.SkippedImages));
        Assert.Equal(one.Manifest.SkippedFiles!, two.Manifest.SkippedFiles!);
        Assert.Equal(2, two.Metrics.Count);
        foreach (var (a, b) in one.Metrics.Zip(two.Metrics))
        {
            Assert.Equal((a.Epoch, a.Step, a.Acc1), (b.Epoch, b.Step, b.Acc1));
            Assert.InRange(b.Loss / a.Loss, 1 - 1e-4, 1 + 1e-4);
        }
        Assert.NotInRange(undisturbed.Metrics[0].Loss / two.Metrics[0].Loss, 1 - 2e-4, 1 + 2e-4);
    }

    // What a process sees in the first epoch.
    float[][] Batches(int rank, int processes)
    {
        var data = Extending.Toolkit.BuiltIn.Datasets["image-folder"].Load(folder.Path, 32, skipDamaged: true);
        var options = BatchOptions.Training(Batch, seed: 1, Augmentation.CropAndFlip) with { Rank = rank, Processes = processes };
        return [.. new BatchLoader(data.Train, data.Normalization, options).Epoch(1).Select(batch => batch.Images.ToArray<float>())];
    }

    [Fact]
    public void Two_processes_stop_at_one_for_the_same_reason_and_go_on_without_it()
    {
        string[] stops = ["train.sync_norm=true"];
        Damage(Seen(2 * Batch + 3));
        var (failures, _) = TrainTogether("two", stops);
        Assert.Equal(failures[0]!.Message.Split("; mend")[0], failures[1]!.Message.Split("; mend")[0]);
        Assert.StartsWith($"'{Seen(2 * Batch + 3)}' is a damaged JPEG image: ", failures[0]!.Message);
        Assert.EndsWith("leave it out by data.damaged=skip, and the run, resumed, goes on after step 2", failures[0]!.Message);
        var run = RunReader.Load(Path.Combine(folder["two"], "run"));
        Assert.Equal((RunState.Failed, failures[0]!.Message), (run.State, run.Manifest.Failure));

        (failures, _) = TrainTogether("two", [.. stops, "data.damaged=skip"]);
        Assert.All(failures, Assert.Null);
        run = RunReader.Load(Path.Combine(folder["two"], "run"));
        Assert.Equal((RunState.Finished, 1), (run.State, run.Manifest.SkippedImages));
    }

    sealed class Warnings : TrainingObserver
    {
        public List<string> Heard { get; } = [];

        public override void Warned(string message) => Heard.Add(message);
    }
}
