using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Training;

namespace DistillSharp.Tests.Experiments.Execution;

/// <summary>A recipe becomes a run, and what a user can get wrong on the way is one sentence and leaves nothing behind.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class ExperimentTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public ExperimentTests() => SmallFiles.Write(folder["data"],
    [
        ("train-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(16 * 784, 1), 16, 28, 28)),
        ("train-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 16).Select(i => (byte)(i % 10))], 16)),
        ("t10k-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(10 * 784, 2), 10, 28, 28)),
        ("t10k-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 10).Select(i => (byte)i)], 10)),
    ]);

    public void Dispose() => folder.Dispose();

    string Runs => folder["runs"];

    Recipe Recipe(string more = "", params string[] overrides) => DistillSharp.Experiments.Recipes.Recipe.Parse($$"""
        data: { set: fashion-mnist, root: '{{folder["data"]}}', batch: 8 }
        student: { network: resnet8 }
        train: { epochs: 2, lr: 0.05, schedule: constant, precision: fp32 }
        {{more}}
        """, "test.yaml", overrides);

    string Teacher(string weights, string network = "resnet8") =>
        $"teacher: {{ network: {network}, weights: '{weights}' }}\nmethods: [ {{ name: kd }} ]";

    ExperimentResult Train(Recipe recipe, string name = "run", bool resume = false, CancellationToken stop = default) =>
        new Experiment(recipe, Runs, TrainingObserver.Of()).Run(name, resume, stop: stop);

    string WeightsOf(string network, Action<Classifier>? change = null)
    {
        using var made = Networks.Create(network, 10, seed: 4);
        change?.Invoke(made);
        SafeTensorsFile.Write(folder[$"{network}.safetensors"], made.StoredState());
        return folder[$"{network}.safetensors"];
    }

    void AssertNothingWasMade() => Assert.False(Directory.Exists(Runs) && Directory.EnumerateFileSystemEntries(Runs).Any());

    [Fact]
    public void A_recipe_becomes_a_run_that_holds_everything()
    {
        var result = Train(Recipe(Teacher(WeightsOf("resnet14"), "resnet14")));

        var run = RunReader.Load(result.Folder);
        Assert.Equal(
            (RunState.Finished, "fashion-mnist", "resnet14", "resnet8"),
            (run.State, run.Manifest.Dataset, run.Manifest.Teacher, run.Manifest.Student));
        Assert.Equal([1, 2], run.Metrics.Select(epoch => epoch.Epoch));
        Assert.Equal(["ce", "kd"], run.Metrics[0].Terms.Keys.Order());
        Assert.Equal(result.Training.Accuracy!.Value.Top1, run.Metrics[1].Acc1);
        var (network, description) = StudentFile.Load(result.Folder);
        using (network)
            Assert.Equal(
                ("resnet8", 10, "fashion-mnist", result.Training.Accuracy!.Value.Top1),
                (network.Name, network.Classes, description.Dataset, description.Acc1));
    }

    [Fact]
    public void The_seed_decides_the_student()
    {
        byte[] Student(string name, int seed) =>
            File.ReadAllBytes(Path.Combine(Train(Recipe("", $"train.seed={seed}", "train.epochs=1"), name).Folder, StudentFile.FileName));
        var first = Student("first", 1);
        Assert.Equal(first, Student("again", 1));
        Assert.NotEqual(first, Student("other", 2));
        // Not the order of the images alone: at a rate that moves nothing the weights are those it began with, and follow from the seed.
        foreach (var seed in new[] { 1, 2 })
        {
            var still = Train(Recipe("", $"train.seed={seed}", "train.epochs=1", "train.lr=1e-30"), $"still-{seed}").Folder;
            using var trained = Networks.Create("resnet8", 10).LoadWeights(Path.Combine(still, StudentFile.FileName));
            using var made = Networks.Create("resnet8", 10, (ulong)seed);
            Assert.Equal(First(made), First(trained));
        }

        static float[] First(Classifier network)
        {
            using var scope = TensorScope.Open();
            return network.State().First().Tensor.Detach().ToArray<float>();
        }
    }

    [Fact]
    public void A_run_is_resumed_by_its_folder_and_by_its_recipe()
    {
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        var first = Train(Recipe(), stop: stopped.Token);
        Assert.Equal((false, 1L), (first.Training.Completed, first.Training.Steps));
        Assert.Equal(RunState.Interrupted, RunReader.Load(first.Folder).State);

        var second = Train(Recipe(), resume: true, stop: stopped.Token);
        Assert.Equal((false, 2L), (second.Training.Completed, second.Training.Steps));

        var request =
            TrainingRequest.Of(first.Folder + "/", [], null, "elsewhere", resume: true, DistillSharp.Experiments.Recipes.Recipe.Load);
        Assert.Equal(("run", Runs), (request.Name, request.RunsRoot));
        var last = new Experiment(request.Recipe, request.RunsRoot, TrainingObserver.Of()).Run(request.Name, resume: true);
        Assert.Equal((true, 4L), (last.Training.Completed, last.Training.Steps));
        Assert.Equal([1, 2], RunReader.Load(first.Folder).Metrics.Select(epoch => epoch.Epoch));
    }

    [Fact]
    public void What_auto_chose_at_a_runs_start_stays_when_it_is_resumed()
    {
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        var recipe = Recipe("", "train.precision=auto");
        var path = Train(recipe, stop: stopped.Token).Folder;
        var chosen = Precision.Auto.Resolve(Device.Cpu);
        Assert.Equal(chosen.ToString().ToLowerInvariant(), RunReader.Load(path).Manifest.Precision);

        var other = chosen == Precision.Bf16 ? Precision.Fp32 : Precision.Bf16;
        using (var run = RunFolder.Open(path)) run.Update(manifest => manifest with { Precision = other.ToString().ToLowerInvariant() });
        Train(recipe, resume: true);
        Assert.Equal(other.Resolve(Device.Cpu).ToString().ToLowerInvariant(), RunReader.Load(path).Manifest.Precision);
    }

    [Fact]
    public void A_runs_folder_asks_for_resume_and_takes_no_name()
    {
        var path = Train(Recipe()).Folder;
        Assert.Contains(
            "give --resume",
            Assert.Throws<UsageException>(
                () => TrainingRequest.Of(path, [], null, Runs, resume: false, DistillSharp.Experiments.Recipes.Recipe.Load)).Message);
        Assert.Contains(
            "leave --name out",
            Assert.Throws<UsageException>(
                () => TrainingRequest.Of(path, [], "other", Runs, resume: true, DistillSharp.Experiments.Recipes.Recipe.Load)).Message);
    }

    [Fact]
    public void What_a_run_is_about_never_changes()
    {
        var path = Train(Recipe()).Folder;
        var before = File.ReadAllText(Path.Combine(path, RunFiles.Metrics));
        foreach (var adopt in new[] { false, true })
        {
            var other = Recipe("", "student.network=resnet20", "train.seed=2", "train.lr=0.01");
            var error = Assert.Throws<UsageException>(() => GoOn(other, adopt));
            Assert.Equal(
                $"{path} was made from another recipe: student.network is resnet20 instead of resnet8, train.seed is 2 instead of 1; a run "
                + $"cannot change in that: begin a new one under another --name, or go on with its own recipe by giving {path}",
                error.Message);
        }
        Assert.Equal(before, File.ReadAllText(Path.Combine(path, RunFiles.Metrics)));
        Assert.Equal(RunState.Finished, RunReader.Load(path).State);
    }

    [Fact]
    public void A_finished_run_goes_on_to_more_epochs()
    {
        var path = Train(Recipe("", "train.schedule=null")).Folder;
        var own = DistillSharp.Experiments.Recipes.Recipe.Parse(RunReader.Load(path).Recipe);
        var further = GoOn(Recipe("", "train.schedule=null", "train.epochs=3", "train.evaluate_every=3"), adopt: false);
        Assert.Equal((true, 6L), (further.Training.Completed, further.Training.Steps));
        var run = RunReader.Load(path);
        Assert.Equal([1, 2, 3], run.Metrics.Select(epoch => epoch.Epoch));
        Assert.Equal((3, RunState.Finished, null), (run.Manifest.Epochs, run.State, run.Manifest.Changes));
        // The schedule that followed from two epochs stays the run's.
        var recipe = DistillSharp.Experiments.Recipes.Recipe.Parse(run.Recipe);
        Assert.Equal(3, recipe.Train.Epochs);
        Assert.Equal(Steps(own), Steps(recipe));
        Assert.Equal(recipe.Digest, run.Manifest.RecipeDigest);

        var request =
            TrainingRequest.Of(path, ["train.epochs=4"], null, Runs, resume: true, DistillSharp.Experiments.Recipes.Recipe.Load);
        Assert.Equal(8, new Experiment(request.Recipe, Runs, TrainingObserver.Of()).Run("run", resume: true).Training.Steps);
    }

    [Fact]
    public void Another_learning_rate_is_adopted_on_purpose()
    {
        var path = Train(Recipe()).Folder;
        var other = Recipe("", "train.lr=0.01", "train.epochs=3");
        var error = Assert.Throws<UsageException>(() => GoOn(other, adopt: false));
        Assert.Equal(
            $"{path} was made from another recipe: train.lr is 0.01 instead of 0.05; to change it on the way give --resume --adopt",
            error.Message);
        Assert.Equal(2, RunReader.Load(path).Manifest.Epochs);
        GoOn(other, adopt: true);
        var run = RunReader.Load(path);
        Assert.Equal([0.05, 0.05, 0.01], run.Metrics.Select(epoch => epoch.Lr));
        Assert.Equal(["train.lr 0.05 → 0.01"], run.Manifest.Changes);
        // Once it has gone on, the new recipe is the run's own.
        Assert.True(GoOn(other, adopt: false).Training.Completed);
    }

    static IReadOnlyList<int> Steps(Recipe recipe) => Assert.IsType<MultiStepSchedule>(recipe.Train.Schedule).Milestones;

    ExperimentResult GoOn(Recipe recipe, bool adopt) =>
        new Experiment(recipe, Runs, TrainingObserver.Of()) { Adopt = adopt }.Run("run", resume: true);

    [Fact]
    public void A_name_that_is_taken_is_refused()
    {
        Train(Recipe());
        Assert.Contains("there is a run named 'run'", Assert.Throws<UsageException>(() => Train(Recipe())).Message);
        Assert.Single(Directory.GetDirectories(Runs));
    }

    [Fact]
    public void To_resume_what_does_not_exist_is_to_begin() => Assert.True(Train(Recipe(), resume: true).Training.Completed);

    [Fact]
    public void A_run_whose_checkpoints_are_all_damaged_says_so()
    {
        var path = Train(Recipe()).Folder;
        foreach (var file in Directory.GetFiles(Path.Combine(path, RunFiles.Checkpoints))) File.WriteAllText(file, "rubbish");
        var error = Assert.Throws<UserException>(() => Train(Recipe(), resume: true));
        Assert.Contains("checkpoints are damaged, so the run cannot be resumed", error.Message);
        Assert.Equal(error.Message, RunReader.Load(path).Manifest.Failure);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Weights_that_are_no_numbers_are_refused(float value)
    {
        var weights = WeightsOf("resnet8", network =>
        {
            using var off = Autograd.NoGrad();
            network.State().First(entry => entry.Name == "bn1.running_var").Tensor.Fill(value);
        });
        var error = Assert.Throws<UserException>(() => Train(Recipe(Teacher(weights))));
        Assert.StartsWith($"{weights}: these weights do not fit resnet8 with 10 classes:", error.Message);
        Assert.Contains("not finite: bn1.running_var holds NaN or infinite values", error.Message);
        AssertNothingWasMade();
    }

    [Fact]
    public void Another_networks_weights_are_refused_by_name()
    {
        var weights = WeightsOf("resnet14");
        var error = Assert.Throws<UserException>(() => Train(Recipe(Teacher(weights))));
        Assert.StartsWith($"{weights}: these weights do not fit resnet8 with 10 classes:", error.Message);
        Assert.Contains("unexpected: layer1.1.conv1.weight [16, 16, 3, 3]", error.Message);
        AssertNothingWasMade();
    }

    [Fact]
    public void Weights_for_other_classes_or_another_width_name_the_shapes()
    {
        using (var hundred = Networks.Create("resnet8", 100, seed: 4))
            SafeTensorsFile.Write(folder["hundred.safetensors"], hundred.StoredState());
        var error = Assert.Throws<UserException>(() => Train(Recipe("", $"student.weights={folder["hundred.safetensors"]}")));
        Assert.Contains("of another shape: fc.weight is [100, 64], the network has [10, 64]", error.Message);
        AssertNothingWasMade();
    }

    [Fact]
    public void A_truncated_weights_file_is_refused()
    {
        var weights = WeightsOf("resnet8");
        using (var file = File.OpenWrite(weights)) file.SetLength(file.Length - 1);
        Assert.Contains("the file is cut short", Assert.Throws<UserException>(() => Train(Recipe(Teacher(weights)))).Message);
        AssertNothingWasMade();
    }

    [Fact]
    public void A_weights_file_that_is_missing_names_the_recipes_line()
    {
        var error = Assert.Throws<UserException>(() => Train(Recipe(Teacher(folder["none.pth"]))));
        Assert.Contains("test.yaml:", error.Message);
        Assert.Contains(folder["none.pth"], error.Message);
        AssertNothingWasMade();
    }

    [SharedFact]
    public void A_TorchScript_file_teaches_and_says_what_it_lacks()
    {
        SmallFiles.Write(folder["cifar/cifar-100-binary"], SmallFiles.Cifar100Binary(16, 4));
        var file = SharedFiles.Path("data/checkpoints/tiny-torchscript.pt");
        Recipe With(string method, string data = "cifar100", string root = "cifar") => Recipe(
            $"teacher: {{ torchscript: '{file}' }}\nmethods: [ {{ name: {method} }} ]", $"data.set={data}", $"data.root={folder[root]}");

        var error = Assert.Throws<UserException>(() => Train(With("fitnet")));
        Assert.StartsWith("fitnet needs the stages of the teacher, and tiny-torchscript has none", error.Message);
        error = Assert.Throws<UserException>(() => Train(With("kd", "fashion-mnist", "data")));
        Assert.Equal($"{file}: the network knows 100 classes, but fashion-mnist has 10", error.Message);
        AssertNothingWasMade();

        var run = RunReader.Load(Train(With("fsecd")).Folder);
        Assert.Equal((RunState.Finished, "tiny-torchscript"), (run.State, run.Manifest.Teacher));
        Assert.Equal(["ce", "fsecd"], run.Metrics[^1].Terms.Keys.Order());
    }

    [Fact]
    public void A_root_that_is_a_file_is_refused()
    {
        File.WriteAllText(Runs, "");
        Assert.StartsWith($"cannot create a run in {Runs}: ", Assert.Throws<UserException>(() => Train(Recipe())).Message);
    }

    [Fact]
    public void A_root_without_permission_is_refused()
    {
        // Root may write anywhere.
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess) return;
        Directory.CreateDirectory(Runs);
        File.SetUnixFileMode(Runs, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal($"cannot create a run in {Runs}: permission denied", Assert.Throws<UserException>(() => Train(Recipe())).Message);
    }
}
