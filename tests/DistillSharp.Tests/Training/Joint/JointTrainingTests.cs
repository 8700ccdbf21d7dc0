using DistillSharp.Formats.Tensors;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Torch.Tests.Distributed;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training.Joint;

/// <summary>
/// Ranks that train together, each on its share of the batches, against one process that has all. The ranks are threads with
/// connections of their own; The launcher's tests have processes.
/// </summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class JointTrainingTests : IDisposable
{
    const int Steps = 5;
    const double Tolerance = 1e-4;

    static readonly Lock making = new();
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (var method in DistillationMethods.Names.Concat(["fsecd-same", "fsecd-class", "fsecd-large", "fsecd-logits"]))
                cases.Add(method, 2);
            // Shares of 2, 3 and 3 images, and of 1, 1 and 2.
            foreach (var method in new[] { "fsecd-class", "rkd", "crd", "ofd", "mlld" }) cases.Add(method, 3);
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void A_step_at_the_usual_rate_is_that_of_one_process_with_the_whole_batch(string method, int processes)
    {
        var (alone, together) = (Step(1), Step(processes));
        Assert.Equal(alone.Keys, together.Keys);
        Assert.Contains("momentum.student.conv1.weight", alone.Keys);
        // What SGD remembers after its first step is the gradient with the decay.
        AssertSame(alone, together);

        Dictionary<string, double[]> Step(int processes)
        {
            var checkpoints = new CheckpointStore(folder[$"{method}-{processes}"]);
            Train(processes, Methods(method), steps: 1, checkpoints: checkpoints, teacher: Teacher(method), warmup: 0);
            return checkpoints.Latest(Assert.Fail)!.Value.Checkpoint.Tensors
                .ToDictionary(tensor => tensor.Name, tensor => tensor.ToTensor().ToArray<double>());
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void After_five_slow_steps_the_weights_are_those_of_one_process_with_the_whole_batch(string method, int processes)
    {
        var start = Untrained(Methods(method), Teacher(method));
        var alone = Slowly(1).Single();
        var ranks = Slowly(processes);
        foreach (var (rank, trained) in ranks.Index())
        {
            Assert.Equal(Steps, trained.Steps.Count);
            AssertSame(alone.State, trained.State, start);
            // The loss that is told is that of the whole batch.
            foreach (var (a, b) in alone.Steps.Zip(trained.Steps))
            {
                Assert.Equal(a.Terms.Select(term => term.Name), b.Terms.Select(term => term.Name));
                Assert.InRange(b.Loss / a.Loss, 1 - Tolerance, 1 + Tolerance);
            }
            foreach (var (name, values) in ranks[0].State)
                Assert.True(values.SequenceEqual(trained.State[name]), $"{name} of process {rank} is not that of process 0");
        }
        string[] own = method switch
        {
            "crd" => [
                "objective.crd.memory_student", "objective.crd.memory_teacher", "objective.crd.z", "objective.crd.embed_s.linear.weight"],
            "fsecd" => ["objective.fsecd.embed.weight"],
            "ofd" => ["objective.ofd.connectors.0.0.weight"],
            _ => [],
        };
        Assert.Subset(alone.State.Keys.ToHashSet(), own.ToHashSet());

        // A last digit may switch a ReLU: at the usual rate that is seen in every weight after a few steps, as it is after changing one
        // process's weights by their last digit. Three hundred times slower it stays where it is.
        Trained[] Slowly(int processes) => Train(processes, Methods(method), teacher: Teacher(method), slower: 300);
    }

    [Fact]
    public void After_five_steps_of_fsecd_at_the_usual_rate_the_weights_are_those_of_one_process()
    {
        Trained[] At(int processes) => Train(processes, Methods("fsecd-same"), teacher: "resnet8");
        var alone = At(1).Single();
        foreach (var trained in At(2)) AssertSame(alone.State, trained.State);
    }

    // Nor may they differ by more than a part of what several steps changed: one ReLU that a last digit switches was seen to make 1 % of
    // it. A bias with its weight, a norm's mean with its variance: where the next norm takes a bias out again its gradient is rounding
    // alone.
    static void AssertSame(
        Dictionary<string, double[]> alone, Dictionary<string, double[]> together, Dictionary<string, double[]>? start = null)
    {
        var gradients = alone.Where(entry => IsGradient(entry.Key)).Select(entry => Length(entry.Value));
        var smallest = 1e-4 * gradients.DefaultIfEmpty().Max();
        foreach (var pair in alone.Keys.GroupBy(name => name.Replace(".bias", ".weight").Replace("running_mean", "running_var")))
        {
            double[] expected = [.. pair.SelectMany(name => alone[name])], actual = [.. pair.SelectMany(name => together[name])];
            var length = Math.Max(IsGradient(pair.Key) ? smallest : 1e-3, Length(expected));
            var changed = start is null ? double.PositiveInfinity : Apart(pair.SelectMany(name => start[name]), expected);
            var allowed = Math.Min(Tolerance * length, 0.03 * changed + 1e-6 * length);
            var difference = Apart(expected, actual);
            Assert.True(
                difference <= allowed, $"{pair.Key} differs by {difference / length:0.0e+0} of its length, not {allowed / length:0.0e+0}");
        }

        static bool IsGradient(string name) => name.StartsWith("momentum.", StringComparison.Ordinal);
    }

    [Fact]
    public void A_method_of_ones_own_that_compares_images_trains_its_parameters_as_one_process_does()
    {
        DistillationMethod[] Methods() => [new Comparison()];
        var alone = Train(1, Methods).Single().State["objective.comparison.scale"];
        foreach (var rank in Train(3, Methods)) Assert.Equal(alone[0], rank.State["objective.comparison.scale"][0], 5);
        Assert.NotEqual(1, alone[0], 1e-3);
    }

    [Fact]
    public void Features_that_do_not_meet_across_processes_and_norms_of_their_own_train_otherwise()
    {
        foreach (var (method, sync, gather) in new[] { ("fsecd", true, false), ("fsecd", false, true), ("rkd", true, false) })
        {
            var apart = Train(2, Methods(method), sync, gather: gather)[0].State["student.conv1.weight"];
            var alone = Train(1, Methods(method)).Single().State["student.conv1.weight"];
            Assert.True(Apart(alone, apart) > 10 * Tolerance * Length(alone));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_student_is_measured_by_all_together_as_by_one(bool sync)
    {
        var measured = Train(2, Methods("fsecd"), sync, steps: 3);
        Assert.All(measured, rank => Assert.Equal(measured[0].Accuracy, rank.Accuracy));
        Assert.Equal(10, measured[0].Accuracy!.Value.Images);
        // With the statistics of process 0: they are what the checkpoint and the student's file hold.
        Assert.All(measured, rank => Assert.Equal(measured[0].State["student.bn1.running_var"], rank.State["student.bn1.running_var"]));
    }

    [Fact]
    public void A_run_of_two_that_is_stopped_goes_on_as_one_never_stopped()
    {
        var undisturbed = new CheckpointStore(folder["undisturbed"]);
        Train(2, Methods("crd"), sync: false, steps: long.MaxValue, checkpoints: undisturbed);
        var stopped = new CheckpointStore(folder["stopped"]);
        foreach (var steps in new long[] { 2, 6, 8, long.MaxValue }) Train(2, Methods("crd"), sync: false, steps, stopped);
        var (expected, actual) = (TinyTraining.Latest(undisturbed), TinyTraining.Latest(stopped));
        Assert.Equal(expected.Keys, actual.Keys);
        foreach (var (name, value) in expected) Assert.True(value == actual[name], $"{name} differs");
    }

    [Fact]
    public void Two_go_on_as_one_and_one_as_two_and_say_what_that_means()
    {
        var checkpoints = new CheckpointStore(folder["run"]);
        Trained[] Slowly(int processes, long steps, CheckpointStore? checkpoints = null) =>
            Train(processes, Methods("fsecd"), steps: steps, checkpoints: checkpoints, slower: 100);
        var early = Slowly(2, steps: 2, checkpoints)[0].State;
        var one = Slowly(1, steps: 6, checkpoints).Single();
        Assert.Equal(
            "the checkpoint is of 2 processes, and 1 process goes on: every step sees the same images in the same order, but sums are " +
            "rounded otherwise, so the weights will not be, bit for bit, those of an undisturbed run", Assert.Single(one.Warnings));
        var two = Slowly(2, steps: long.MaxValue, checkpoints);
        Assert.StartsWith("the checkpoint is of 1 process, and 2 processes go on: ", Assert.Single(two[0].Warnings));

        // At the usual rate one last digit is soon seen in every weight.
        var undisturbed = Slowly(1, steps: long.MaxValue).Single().State;
        AssertSame(undisturbed, two[1].State);
        var (weight, before) = (undisturbed["student.conv1.weight"], early["student.conv1.weight"]);
        Assert.True(Apart(weight, before) > 10 * Tolerance * Length(weight));
    }

    [Fact]
    public void Processes_that_were_given_different_things_are_told_so()
    {
        var options = TinyTraining.Options();
        Assert.Equal(
            "the training options of process 1 are not those of process 0; give all processes the same "
            + "recipe, the same files and the same program",
            Refusal(rank => options with { WeightDecay = rank * 1e-4 }, "kd", "kd"));
        Assert.StartsWith("the networks and methods of process 1 ", Refusal(_ => options, "kd", "vid"));

        string Refusal(Func<int, TrainingOptions> optionsOf, params string[] methods)
        {
            var messages = new string[2];
            Ranks.Run(2, group =>
            {
                using var run = Make(optionsOf(group.Rank) with { Processes = group }, Methods(methods[group.Rank])());
                messages[group.Rank] = Assert.Throws<UserException>(() => run.Run()).Message;
            });
            Assert.Equal(messages[0], messages[1]);
            return messages[0];
        }
    }

    [Fact]
    public void A_process_whose_peer_ends_says_where_it_stopped_and_how_to_go_on()
    {
        string? message = null;
        Assert.Throws<AggregateException>(() => Ranks.Run(2, group =>
        {
            using var run = Make(TinyTraining.Options() with { Processes = group }, Methods("kd")());
            run.At = step =>
            {
                if (group.Rank != 1 || step != 2) return;
                group.Dispose();
                throw new InvalidOperationException("this process ends");
            };
            try { run.Run(); }
            catch (UserException error)
            {
                message = error.Message;
                throw;
            }
        }));
        Assert.StartsWith(
            "process 0 of 2 stops after step 2 (epoch 1): the connection to another process broke, as it does when that one ends (",
            message);
        Assert.EndsWith("); resume all of them, and they go on from the last checkpoint", message);
    }

    sealed record Trained(
        Dictionary<string, double[]> State, List<StepReport> Steps, List<string> Warnings, DistillSharp.Evaluation.Accuracy? Accuracy);

    static string Teacher(string method) => method switch
    {
        "fsecd-same" => "resnet8",
        "reviewkd" or "simkd" or "ofd" => "resnet8x4",
        _ => "mobilenet_v2_half",
    };

    static Trained[] Train(
        int processes, Func<DistillationMethod[]> methods, bool sync = true, long steps = Steps, CheckpointStore? checkpoints = null,
        string teacher = "mobilenet_v2_half", double slower = 1, bool gather = true, int warmup = 2)
    {
        var options = TinyTraining.Options();
        options =
            options with
            {
                SyncNorm = sync,
                GatherFeatures = gather,
                Schedule = new MultiStepSchedule { BaseRate = 0.05 / slower, Milestones = [2], Gamma = 0.1, WarmupSteps = warmup }
            };
        if (processes == 1) return [Run(options, methods(), steps, checkpoints, teacher)];
        var trained = new Trained[processes];
        Ranks.Run(
            processes, group =>
                trained[group.Rank] =
                    Run(options with { Processes = group }, methods(), steps, group.Rank == 0 ? checkpoints : null, teacher));
        return trained;
    }

    static Trained Run(TrainingOptions options, DistillationMethod[] methods, long steps, CheckpointStore? checkpoints, string teacher)
    {
        using var scope = TensorScope.Open();
        using var run = Make(options, methods, teacher);
        var result = run.Run(checkpoints, resume: checkpoints is not null, stopAfter: steps);
        return new(State(run), run.Steps, run.Warnings, result.Accuracy);
    }

    static Dictionary<string, double[]> Untrained(Func<DistillationMethod[]> methods, string teacher)
    {
        using var scope = TensorScope.Open();
        using var run = Make(TinyTraining.Options(), methods(), teacher);
        return State(run);
    }

    static Dictionary<string, double[]> State(TinyTraining run) =>
        run.Student.State().Select(entry => ($"student.{entry.Name}", entry.Tensor))
            .Concat(run.Objective.State().Select(entry => ($"objective.{entry.Name}", entry.Tensor)))
            .ToDictionary(entry => entry.Item1, entry => entry.Tensor.ToArray<double>());

    // Networks and methods draw from the one generator of this process.
    static TinyTraining Make(TrainingOptions options, DistillationMethod[] methods, string teacher = "mobilenet_v2_half")
    {
        lock (making)
        {
            Runtime.Seed(5);
            return new(options, TinyTraining.Data, teacher, methods);
        }
    }

    static Func<DistillationMethod[]> Methods(string name) => name switch
    {
        "fsecd-same" => () => [new Fsecd()],
        "fsecd-class" => () => [new Fsecd { Policy = PositivePairs.Class }],
        "fsecd-logits" => () => [new Fsecd { Layer = EmbeddedLayer.Logits }],
        "fsecd-large" => () => [new Fsecd { Policy = PositivePairs.Class, LargeBatch = 1 }],
        _ => () => TinyTraining.Methods(name),
    };

    static double Apart(IEnumerable<double> a, IEnumerable<double> b) => Length(a.Zip(b, (x, y) => x - y));

    static double Length(IEnumerable<double> values) => Math.Sqrt(values.Sum(value => value * value));

    /// <summary>The spread of the student's logits over the batch, scaled by a parameter.</summary>
    sealed class Comparison : DistillationMethod
    {
        Tensor? scale;

        public override string Name => "comparison";

        public override Features? TeacherFeatures => null;

        public override bool ComparesImages => true;

        public override IReadOnlyList<string> Bind(DistillationPair pair)
        {
            scale = Parameter("scale", Tensor.Ones([1]));
            return [];
        }

        public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
        {
            using var scope = TensorScope.Open();
            var logits = step.Student.Logits;
            return [new(Name, scope.Keep(((logits - logits.Mean(0, keep: true)).Pow(2).Mean() * scale!).Sum()))];
        }
    }
}
