using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Experiments.Recipes;

/// <summary>The whole numbers that a student's last epochs can be trained for.</summary>
public enum QuantizedType
{
    /// <summary>Weights of int8 and activations of uint8, as <c>distill export --int8</c> writes them.</summary>
    Int8,
}

/// <summary>The section <c>train</c>: how the student learns.</summary>
public sealed record TrainSection
{
    const string Photographs = "for photographs";

    internal static RecipeKeys Keys { get; } = new("train");

    static readonly RecipeKey<int> epochs = Keys.Add("epochs", RecipeForms.Int(min: 1, max: ScheduleForm.MaxEpochs),
        "passes over the training images", known =>
            known.Protocol.Epochs, $"{Protocol.Cifar.Epochs}; {Protocol.ImageNet.Epochs} {Photographs}");
    static readonly RecipeKey<OptimizerKind> optimizer = Keys.Add("optimizer", RecipeForms.Word<OptimizerKind>(),
        "what moves the parameters; adamw's weight decay is decoupled", otherwise: OptimizerKind.Sgd);
    static readonly RecipeKey<double> lr = Keys.Add("lr", RecipeForms.Positive, "learning rate",
        known => IsSgd(known) ? known.Protocol.LearningRate(known.Student) : Protocol.AdamRate,
        $"{RecipeText.Number(Protocol.ImageNet.Rate)} {Photographs}; else {RecipeText.Number(Protocol.Cifar.Rate)}, and "
        + $"{RecipeText.Number(Protocol.Cifar.LightRate)} for {string.Join(", ", Protocol.LightStudents.Select(name => $"`{name}`"))}; "
        + $"{RecipeText.Number(Protocol.AdamRate)} of Adam");
    static readonly RecipeKey<LearningRateSchedule> schedule = Keys.Add("schedule", ScheduleForm.Form,
        "how the learning rate falls; a step named 150 means: from epoch 151 on", known =>
            known.Protocol.Schedule(epochs.Of(known.Values), known.Student) with { BaseRate = lr.Of(known.Values) },
        $"steps at 5/8, 3/4 and 7/8 of the epochs (3/10, 6/10 and 9/10 {Photographs}), factor {RecipeText.Number(Protocol.Factor)}");
    static readonly RecipeKey<long> warmupSteps = Keys.Add("warmup_steps", RecipeForms.Whole(min: 0),
        "optimizer steps over which the learning rate rises from 0", otherwise: 0);
    static readonly RecipeKey<double> momentum =
        Keys.Add("momentum", RecipeForms.Number(number => number is >= 0 and < 1, "a number from 0 to below 1"),
        "SGD's momentum", otherwise: Protocol.Momentum, written: IsSgd);
    static readonly RecipeKey<double> weightDecay = Keys.Add("weight_decay", RecipeForms.NotNegative,
        "weight decay, of SGD and Adam as a part of the gradient", known => known.Protocol.WeightDecay,
        $"{RecipeText.Number(Protocol.Cifar.WeightDecay)}; {RecipeText.Number(Protocol.ImageNet.WeightDecay)} {Photographs}");
    static readonly RecipeKey<bool> decayNorms =
        Keys.Add("decay_norms", RecipeForms.Flag, "whether norms and biases decay too", otherwise: true);
    static readonly RecipeKey<bool> nesterov =
        Keys.Add("nesterov", RecipeForms.Flag, "whether SGD looks ahead along its momentum", otherwise: false, written: IsSgd);
    static readonly RecipeKey<double?> clip =
        Keys.Add("clip", RecipeForms.Number(length => length > 0, "a number above 0, or null for none").OrNone(),
        "the length that the gradients of a step are scaled down to where they are longer", otherwise: null);
    static readonly RecipeKey<double> labelSmoothing = Keys.Add("label_smoothing",
        RecipeForms.Number(share => share is >= 0 and < 1, "a number from 0 to below 1"),
        "share of each label that cross-entropy spreads over all classes", otherwise: 0);
    static readonly RecipeKey<double?> ema =
        Keys.Add("ema", RecipeForms.Number(decay => decay is > 0 and < 1, "a number above 0 and below 1").OrNone(),
        "the decay of a moving average of the weights, 0.999 for example: it is measured and kept beside the student as it is",
        otherwise: null, quiet: true);
    static readonly RecipeKey<int> accumulate = Keys.Add("accumulate", RecipeForms.Int(min: 1),
        "in how many equal parts, one after the other, the gradient of a batch is computed; "
        + "norms and methods that compare the images of a batch see one part", otherwise: 1, quiet: true);
    static readonly RecipeKey<Precision> precision =
        Keys.Add("precision", RecipeForms.Word<Precision>(), "type of the heavy operators: bf16 where the hardware is faster in it (auto), "
        + "else float32, with a sentence where it was asked for; tf32 is a GPU's", otherwise: Precision.Auto);
    static readonly RecipeKey<Device> device =
        Keys.Add("device", RecipeForms.Device, "where to compute; cuda is cuda:0", otherwise: Device.Cpu);
    static readonly RecipeKey<QuantizedType?> quantize = Keys.Add("quantize", RecipeForms.Word<QuantizedType>().OrNone(),
        "the whole numbers that the student is to compute in: its last epochs train it, with the teacher, rounded as its export will be",
        otherwise: null, quiet: true);
    static readonly RecipeKey<int> quantizeEpochs = Keys.Add("quantize_epochs", RecipeForms.Int(min: 1, max: ScheduleForm.MaxEpochs),
        "how many of the last epochs", known => QuantizedTraining.UsualEpochs(epochs.Of(known.Values)), "a tenth of the epochs, at least 1",
        written: known => quantize.Of(known.Values) is not null);
    static readonly RecipeKey<long> seed = Keys.Add("seed", RecipeForms.Whole(min: 0),
        "decides initial weights, order, augmentation and what methods draw", otherwise: 1);
    static readonly RecipeKey<bool> syncNorm = Keys.Add("sync_norm", RecipeForms.Flag,
        "where processes train together: whether batch norm takes its statistics over the images of all, as one process does",
        otherwise: false, quiet: true);
    static readonly RecipeKey<bool> gatherFeatures = Keys.Add("gather_features", RecipeForms.Flag,
        "where processes train together: whether methods that compare the images of a batch compare those of all, as in one process",
        otherwise: true, quiet: true);
    static readonly RecipeKey<int> evaluateEvery = Keys.Add("evaluate_every", RecipeForms.Int(min: 1),
        "measure after every so many epochs, and after the last", otherwise: 1, changesResults: false);
    static readonly RecipeKey<int> evaluateBatch = Keys.Add("evaluate_batch", RecipeForms.Int(min: 1),
        "images of one batch when measuring", otherwise: 250, changesResults: false);
    static readonly RecipeKey<int> keepCheckpoints = Keys.Add("keep_checkpoints", RecipeForms.Int(min: 1),
        "how many of the latest are kept, beside the best", otherwise: 2, changesResults: false);
    static readonly RecipeKey<double?> checkpointMinutes = Keys.Add("checkpoint_minutes",
        RecipeForms.Number(minutes => minutes is > 0 and < 1e6, "a number above 0, or null for never").OrNone(),
        "also write one within an epoch whenever so many minutes have passed", otherwise: null, "never", changesResults: false);
    static readonly RecipeKey<long?> teacherMemory = Keys.Add("teacher_memory", MemoryForm(),
        "what remembered outputs of the teacher may take, in decimal units", otherwise: null,
        "`auto`: on a processor 2 GB, but at most a quarter of its memory; off on a GPU", changesResults: false);
    static readonly RecipeKey<string?> teacherFolder = Keys.Add("teacher_folder", RecipeForms.Text("a folder"),
        "a folder where runs share what their teacher answered to equal batches; a sweep's runs have one by themselves", otherwise: null,
        "none", changesResults: false, quiet: true);
    static readonly RecipeKey<long> teacherFolderSize = Keys.Add("teacher_folder_size", SizeForm(),
        "what that folder may come to; what was not used for longest goes first", otherwise: 10_000_000_000, "`10 GB`",
        changesResults: false, written: known => teacherFolder!.Of(known.Values) is not null);
    static readonly RecipeKey<int?> loaderThreads = Keys.Add("loader_threads", RecipeForms.Int(min: 1, max: 1024).OrNone(),
        "threads that prepare batches", otherwise: null,
        "the cores that training leaves idle, and at least 1: with a GPU all but one", changesResults: false);
    static readonly RecipeKey<bool> cudaGraphs = Keys.Add("cuda_graphs", RecipeForms.Flag,
        "whether a GPU records the steps of an epoch and replays them, where methods and libtorch let it", otherwise: true,
        changesResults: false, quiet: true);

    readonly RecipeValues values;

    TrainSection(RecipeValues values) => this.values = values;

    /// <summary>Passes over the training set.</summary>
    public int Epochs => epochs.Of(values);

    /// <summary>The learning rate (<c>lr</c>), its fall (<c>schedule</c>), and its first rise (<c>warmup_steps</c>).</summary>
    public LearningRateSchedule Schedule => schedule.Of(values) with { WarmupSteps = warmupSteps.Of(values) };

    /// <summary>What moves the parameters.</summary>
    public OptimizerKind Optimizer => optimizer.Of(values);

    /// <summary>SGD's momentum.</summary>
    public double Momentum => momentum.Of(values);

    /// <summary>The optimizer's weight decay.</summary>
    public double WeightDecay => weightDecay.Of(values);

    /// <summary>Whether norms and biases decay too (<c>decay_norms</c>).</summary>
    public bool DecayNorms => decayNorms.Of(values);

    /// <summary>Whether SGD looks ahead.</summary>
    public bool Nesterov => nesterov.Of(values);

    /// <summary>The length that the gradients of a step are scaled down to where they are longer (<c>clip</c>); null for any.</summary>
    public double? Clip => clip.Of(values);

    /// <summary>The share of each label that cross-entropy spreads over all classes (<c>label_smoothing</c>).</summary>
    public double LabelSmoothing => labelSmoothing.Of(values);

    /// <summary>The decay of a moving average of the weights (<c>ema</c>); null where none is kept.</summary>
    public double? AverageDecay => ema.Of(values);

    /// <summary>In how many equal parts the gradient of a batch is computed.</summary>
    public int Accumulate => accumulate.Of(values);

    /// <summary>The type of the heavy operators.</summary>
    public Precision Precision => precision.Of(values);

    /// <summary>Where to compute.</summary>
    public Device Device => device.Of(values);

    /// <summary>The whole numbers that the last epochs train the student for (<c>quantize</c>); null for none.</summary>
    public QuantizedType? Quantize => quantize.Of(values);

    /// <summary>How many of the last epochs do (<c>quantize_epochs</c>).</summary>
    public int QuantizeEpochs => quantizeEpochs.Of(values);

    /// <summary>Decides initial weights, order, augmentation and what methods draw.</summary>
    public long Seed => seed.Of(values);

    /// <summary>Whether processes that train together take batch norm's statistics over the images of all (<c>sync_norm</c>).</summary>
    public bool SyncNorm => syncNorm.Of(values);

    /// <summary>Whether methods compare the images of all processes that train together (<c>gather_features</c>).</summary>
    public bool GatherFeatures => gatherFeatures.Of(values);

    /// <summary>The student is measured after every so many epochs.</summary>
    public int EvaluateEvery => evaluateEvery.Of(values);

    /// <summary>Images of one batch when the student is measured.</summary>
    public int EvaluateBatch => evaluateBatch.Of(values);

    /// <summary>How many of the latest checkpoints are kept, beside the best.</summary>
    public int KeepCheckpoints => keepCheckpoints.Of(values);

    /// <summary>A checkpoint within an epoch whenever so many minutes have passed; null for never.</summary>
    public double? CheckpointMinutes => checkpointMinutes.Of(values);

    /// <summary>Bytes for remembered outputs of the teacher: 0 for none, null for what seems right.</summary>
    public long? TeacherMemory => teacherMemory.Of(values);

    /// <summary>The folder where runs share what their teacher answered; null for none.</summary>
    public string? TeacherFolder => teacherFolder.Of(values);

    /// <summary>Bytes that it may come to.</summary>
    public long TeacherFolderSize => teacherFolderSize.Of(values);

    /// <summary>Threads that prepare batches; null for the cores that training leaves idle.</summary>
    public int? LoaderThreads => loaderThreads.Of(values);

    /// <summary>Whether a GPU records steps and replays them.</summary>
    public bool CudaGraphs => cudaGraphs.Of(values);

    internal static TrainSection Read(YamlValue value, RecipeKnown known)
    {
        var section = Keys.Open(value);
        var train = new TrainSection(Keys.Read(section, known));
        if (train.Optimizer != OptimizerKind.Sgd)
            foreach (var key in new[] { momentum.Name, nesterov.Name })
                if (section[key] is not null)
                    throw section.Mistake(
                        key, $"train.{key} is SGD's, but train.optimizer is {section["optimizer"]!.Text}; leave one of them out");
        if (train is { Nesterov: true, Momentum: 0 })
            throw section.Mistake("nesterov", "train.nesterov looks ahead along the momentum, but train.momentum is 0; change one of them");
        if (train.Quantize is null && section[quantizeEpochs.Name] is not null)
            throw section.Mistake(
                quantizeEpochs.Name, "train.quantize_epochs is given, but not train.quantize; give quantize: int8, or leave it out");
        if (train.Quantize is not null && train.QuantizeEpochs > train.Epochs)
            throw section.Mistake(quantizeEpochs.Name,
                $"train.quantize_epochs is {train.QuantizeEpochs}, but train.epochs {train.Epochs}; change one of them");
        if (train.Quantize is not null && train.AverageDecay is not null)
            throw section.Mistake(quantize.Name,
                "train.quantize finds ranges for the student, and train.ema averages it, which has none; leave one of them out");
        return train;
    }

    internal void Write(RecipeText text, bool decisive) => Keys.Write(text, values, decisive);

    static bool IsSgd(RecipeKnown known) => optimizer.Of(known.Values) == OptimizerKind.Sgd;

    static RecipeForm<long> SizeForm() => new("a size such as 10 GB",
        given => given.Value is { Kind: YamlKind.Scalar } text && DataSize.TryParse(text.Text, out var bytes) ? bytes
            : throw given.Wrong(), DataSize.Text);

    static RecipeForm<long?> MemoryForm() => new("auto, off or a size such as 2 GB",
        given => given.Value switch
        {
            { Kind: YamlKind.Scalar, Text: "auto" } => null,
            { Kind: YamlKind.Scalar, Text: "off" } => 0,
            { Kind: YamlKind.Scalar } text when DataSize.TryParse(text.Text, out var bytes) => bytes,
            _ => throw given.Wrong(),
        },
        bytes => bytes == 0 ? "off" : DataSize.Text(bytes!.Value), None: "auto");
}
