using DistillSharp.Data;
using DistillSharp.Models;
using DistillSharp.Torch.Distributed;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Training;

/// <summary>The optimizers of a run.</summary>
public enum OptimizerKind
{
    /// <summary><see cref="Sgd"/>.</summary>
    Sgd,
    /// <summary><see cref="Adam"/>, its decay part of the gradient.</summary>
    Adam,
    /// <summary><see cref="Adam"/> with decoupled decay.</summary>
    AdamW,
}

/// <summary>How a student is trained. What is left unsaid follows the protocol of the data set, as a recipe does.</summary>
public sealed record TrainingOptions
{
    readonly int? epochs, batchSize;
    readonly double? weightDecay;
    readonly LearningRateSchedule? schedule;
    readonly Augmentation? augmentation, secondView;

    /// <summary>What decides the rest; null for the data set's own, which a trainer puts here.</summary>
    public Protocol? Protocol { get; init; }

    /// <summary>The student's name, on which the protocol's learning rate depends; a trainer puts it here.</summary>
    internal string Student { get; init; } = "";

    /// <summary>Passes over the training set.</summary>
    public int Epochs { get => epochs ?? Unsaid.Epochs; init => epochs = value; }

    /// <summary>Images of one optimizer step, over all processes together.</summary>
    public int BatchSize { get => batchSize ?? Unsaid.Batch; init => batchSize = value; }

    /// <summary>
    /// In how many equal parts, one after the other, the gradient of a step is computed: it takes the memory of one part. For losses
    /// that are means over images it is the gradient of the whole batch; norms and methods that compare the images of a batch see a part.
    /// </summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>
    /// The weight of the former average in the moving average of the student's weights after each step, 0.999 for example; null keeps
    /// no average.
    /// </summary>
    public double? AverageDecay { get; init; }

    /// <summary>
    /// Whether the teacher's weights are the moving average of the student's, which it needs <see cref="AverageDecay"/> for: the network
    /// that is handed over as the teacher is another of the student's form.
    /// </summary>
    public bool TeacherIsAverage { get; init; }

    /// <summary>
    /// The learning rate of each step; unsaid, the protocol's rate for the student, which falls after the same parts of
    /// <see cref="Epochs"/> as there.
    /// </summary>
    public LearningRateSchedule Schedule { get => schedule ?? Unsaid.Schedule(Epochs, Student); init => schedule = value; }

    /// <summary>What moves the parameters.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Sgd;

    /// <summary>SGD's momentum; Adam has its own two, 0.9 and 0.999.</summary>
    public double Momentum { get; init; } = Protocol.Momentum;

    /// <summary>The weight decay: of SGD and Adam part of the gradient, of AdamW apart from it.</summary>
    public double WeightDecay { get => weightDecay ?? Unsaid.WeightDecay; init => weightDecay = value; }

    /// <summary>Whether norms and biases, the parameters of one dimension, decay too.</summary>
    public bool DecayNorms { get; init; } = true;

    /// <summary>The length, as one vector, that the gradients of a step are scaled down to where they are longer; null for any.</summary>
    public double? ClipGradients { get; init; }

    /// <summary>The share of each label that cross-entropy spreads evenly over all classes.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Whether SGD looks ahead.</summary>
    public bool Nesterov { get; init; }

    /// <summary>The type of the heavy operators.</summary>
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>Decides initial weights, order, augmentation and what methods draw.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Where to compute.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>The processes that train together, each on its share of every batch; null for this one alone.</summary>
    public ProcessGroup? Processes { get; init; }

    /// <summary>Whether batch norms take their statistics over all processes' shares, as one process does, instead of their own.</summary>
    public bool SyncNorm { get; init; }

    /// <summary>
    /// Whether methods that compare the images of a batch compare those of all processes, as one process does, instead of those of
    /// their own share.
    /// </summary>
    public bool GatherFeatures { get; init; } = true;

    /// <summary>What is done to the training images.</summary>
    public Augmentation Augmentation { get => augmentation ?? new(Unsaid.Augment); init => augmentation = value; }

    /// <summary>
    /// What is done to the second view of each image, for a method that asks for two; unsaid, <see cref="Augmentation"/> with AutoAugment
    /// behind it, by the policy learned on CIFAR-10, or on ImageNet for its protocol.
    /// </summary>
    public Augmentation SecondView
    {
        get => secondView ?? Augmentation.Stronger(
            new AutoAugment { Policy = Unsaid.IsImageNet ? AutoAugmentPolicy.Imagenet : AutoAugmentPolicy.Cifar });
        init => secondView = value;
    }

    /// <summary>Trains the student's last epochs as it will compute in whole numbers; null for none of them.</summary>
    public QuantizedTraining? Quantization { get; init; }

    /// <summary>What the teacher takes, where that is not what the student does: its own normalization or size.</summary>
    public TeacherInput? TeacherInput { get; init; }

    /// <summary>The factor of cross-entropy in the total loss; null takes the smallest that methods ask for (KD 0.1, others 1).</summary>
    public double? CrossEntropyWeight { get; init; }

    /// <summary>
    /// Bytes that remembered outputs of the teacher may take; 0 remembers nothing. They change no result. Null takes what
    /// seems right: on a processor at most 2 GB and a quarter of the memory there is, on a GPU nothing.
    /// </summary>
    public long? TeacherMemory { get; init; }

    /// <summary>
    /// A folder where runs share what their teacher answered: those of one seed, batch and augmentation show it the same batches. It
    /// changes no result. Null for none; methods that need more than pooled features and logits, and GPUs, do without.
    /// </summary>
    public string? TeacherFolder { get; init; }

    /// <summary>Bytes that <see cref="TeacherFolder"/> may come to; what was not used for longest goes first.</summary>
    public long TeacherFolderBytes { get; init; } = 10_000_000_000;

    /// <summary>
    /// Threads that prepare batches, which change no result. Null takes the cores that training leaves idle, and at least one: on a
    /// processor those that libtorch does not use, with a GPU all but one.
    /// </summary>
    public int? LoaderThreads { get; init; }

    /// <summary>
    /// Whether a GPU records the steps of an epoch and replays them, where it can. It changes no result, takes the host far less time, and
    /// the memory of a step for itself.
    /// </summary>
    public bool CudaGraphs { get; init; } = true;

    /// <summary>Images of one batch when the student is measured.</summary>
    public int EvaluationBatchSize { get; init; } = 250;

    /// <summary>The student is measured after every so many epochs, and always after the last.</summary>
    public int EvaluateEvery { get; init; } = 1;

    /// <summary>How many of the latest checkpoints are kept, beside the best.</summary>
    public int KeepCheckpoints { get; init; } = 2;

    /// <summary>Also write a checkpoint within an epoch whenever so much time has passed; null for never.</summary>
    public TimeSpan? CheckpointEvery { get; init; }

    /// <summary>Images that are looked at together.</summary>
    internal int PartSize => BatchSize / Accumulate;

    internal void Validate()
    {
        if (Accumulate > 1 && Processes is { Size: > 1 } processes)
            throw new UsageException($"a batch is computed in {Accumulate} parts or by {processes.Size} processes, which share it already; "
                + "leave one of the two out");
        if (Accumulate < 1 || BatchSize % Accumulate != 0)
            throw new UsageException($"a batch of {BatchSize} images cannot be computed in {Accumulate} "
                + "equal parts; change one of the two numbers");
        if (AverageDecay is not (null or >= 0 and < 1))
            throw new UsageException($"the decay of the moving average is {AverageDecay}; it must be from 0 to below 1");
        if (Quantization is { } quantization) Validate(quantization);
        if (TeacherIsAverage && AverageDecay is null)
            throw new UsageException("the teacher is to be the moving average of the student, and "
                + "none is kept; say its decay, 0.999 for example");
    }

    /// <summary>From which epoch on the student is trained as it will compute in whole numbers; beyond the last where it is not.</summary>
    internal int FirstQuantizedEpoch =>
        Quantization is { } quantization ? Epochs - (quantization.Epochs ?? QuantizedTraining.UsualEpochs(Epochs)) + 1 : int.MaxValue;

    void Validate(QuantizedTraining quantization)
    {
        if (Processes is { Size: > 1 } processes)
            throw new UsageException($"the student is to be trained in {quantization.Name}, and by {processes.Size} processes, which would "
                + "each find ranges of their own; leave one of the two out");
        if (AverageDecay is not null)
            throw new UsageException(
                $"the student is to be trained in {quantization.Name}, and averaged; an average has no ranges: leave one of the two out");
        if (quantization.Epochs is { } last && (last < 1 || last > Epochs))
            throw new UsageException($"{last} of {Epochs} epochs cannot be trained in {quantization.Name}; give 1 to {Epochs}");
    }

    internal int LoaderThreadsOrIdle =>
        LoaderThreads ?? Math.Max(1, Environment.ProcessorCount - (Device.Type == DeviceType.Cuda ? 1 : Runtime.Threads));

    Protocol Unsaid => Protocol ?? Protocol.Cifar;

    /// <summary>The same for a data set and a student: what is unsaid is theirs.</summary>
    internal TrainingOptions For(Dataset data, Classifier student) =>
        this with { Protocol = Protocol ?? data.Protocol, Student = student.Name };
}
