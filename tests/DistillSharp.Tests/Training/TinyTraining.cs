using System.Text.Json;
using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>
/// A run of three epochs of three steps (8, 8 and 4 images of random pixels) that takes a moment. Networks and methods draw
/// from libtorch's one generator, so tests that compare runs belong to a collection that nothing else runs beside.
/// </summary>
sealed class TinyTraining : IDisposable
{
    public const int Epochs = 3, StepsPerEpoch = 3, Classes = 5;

    static readonly string[] names = ["a", "b", "c", "d", "e"];
    readonly Classifier teacher;
    readonly Trainer trainer;

    public TinyTraining(Precision precision, params IEnumerable<DistillationMethod> methods)
        : this(Options(precision), methods) { }

    public TinyTraining(TrainingOptions options, params IEnumerable<DistillationMethod> methods) : this(options, Data, methods) { }

    public TinyTraining(TrainingOptions options, Dataset data, params IEnumerable<DistillationMethod> methods)
        : this(options, data, "mobilenet_v2_half", methods) { }

    public TinyTraining(TrainingOptions options, Dataset data, string teacherNetwork, IEnumerable<DistillationMethod> methods)
    {
        teacher = Networks.Create(teacherNetwork, Classes, seed: 99);
        Student = Networks.Create("resnet8", Classes, seed: 1);
        trainer = new(Student, teacher, methods, data, options);
    }

    public static Dataset Data { get; } = new("random", Images(20, 1), Images(10, 2), [.5f, .5f, .5f], [.25f, .25f, .25f]);

    public Classifier Student { get; }

    public Objective Objective => trainer.Objective;

    /// <summary>
    /// The run's epochs, without what a clock decides, and what the cache of teacher outputs did not yet hold after a stop.
    /// </summary>
    public List<EpochMetrics> Metrics { get; } = [];

    /// <summary>The share of each epoch's images whose teacher output was remembered.</summary>
    public List<double?> Remembered { get; } = [];

    public List<StepReport> Steps { get; } = [];

    /// <summary>Where a step's time goes, when it is set.</summary>
    public StepProfile? Profile { get => trainer.Profile; init => trainer.Profile = value; }

    public ConvolutionLimit MeasureConvolutions() => trainer.MeasureConvolutions();

    public List<string> Said { get; } = [];

    public List<string> Warnings { get; } = [];

    /// <summary>Called after each step, and before each measurement with a step of 0.</summary>
    public Action<long> At { get; set; } = _ => { };

    public static TrainingOptions Options(Precision precision = Precision.Fp32) => new()
    {
        Epochs = Epochs,
        BatchSize = 8,
        Precision = precision,
        Schedule = new MultiStepSchedule { BaseRate = 0.05, Milestones = [2], Gamma = 0.1, WarmupSteps = 2 },
    };

    /// <summary>The methods of the promise, each with what it keeps beside the student: a layer, memories, a warm-up.</summary>
    public static DistillationMethod[] Methods(string name) => name switch
    {
        "ce" => [],
        "crd" => [new Crd { FeatureDim = 16, Negatives = 12 }],
        "dkd" => [new Dkd { Warmup = 3 }],
        "reviewkd" => [new ReviewKd { Warmup = 3 }],
        _ => [DistillationMethods.Create(name)],
    };

    /// <summary>Trains, and stops after the given step of the whole run.</summary>
    public TrainingResult Run(CheckpointStore? checkpoints = null, bool resume = false, long stopAfter = long.MaxValue)
    {
        using var stop = new CancellationTokenSource();
        return trainer.Run(new Observer(this, step =>
        {
            if (step == stopAfter) stop.Cancel();
        }), checkpoints, resume, stop.Token);
    }

    /// <summary>Everything a checkpoint holds as comparable text; times are left out.</summary>
    public static SortedDictionary<string, string> Content(Checkpoint checkpoint)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["progress"] = JsonSerializer.Serialize(checkpoint.Progress with { Seconds = 0 }),
        };
        foreach (var tensor in checkpoint.Tensors)
            content.Add(tensor.Name, $"{tensor.Type} {string.Join(",", tensor.Shape)} {Convert.ToHexString(tensor.Data.Span)}");
        return content;
    }

    public static SortedDictionary<string, string> Latest(CheckpointStore checkpoints) =>
        Content(checkpoints.Latest(Assert.Fail)!.Value.Checkpoint);

    public static string Text(IEnumerable<EpochMetrics> metrics) => JsonSerializer.Serialize(metrics);

    static ImageSet Images(int count, int seed) => new(
        SmallFiles.Bytes(count * 32 * 32 * 3, seed), 32, 32, 3, [.. Enumerable.Range(0, count).Select(i => i * 7 % Classes)], names);

    public void Dispose()
    {
        trainer.Dispose();
        Student.Dispose();
        teacher.Dispose();
    }

    sealed class Observer(TinyTraining run, Action<long> step) : TrainingObserver
    {
        public override void Stepped(StepReport report)
        {
            run.Steps.Add(report);
            step(report.Step);
            run.At(report.Step);
        }

        public override void Evaluating(int epoch) => run.At(0);

        public override void EpochEnded(EpochMetrics metrics)
        {
            run.Remembered.Add(metrics.TeacherRemembered);
            run.Metrics.Add(metrics with { Seconds = 0, ImagesPerSecond = 0, TeacherRemembered = null });
        }

        public override void Said(string message) => run.Said.Add(message);

        public override void Warned(string message) => run.Warnings.Add(message);
    }
}
