using DistillSharp.Data;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Training;

namespace DistillSharp.Experiments.Recipes;

/// <summary>The section <c>train</c>: how the student learns.</summary>
public sealed record TrainSection
{
    const int MaxEpochs = 1_000_000;

    internal static IReadOnlyList<string> Keys { get; } =
    [
        "epochs", "lr", "schedule", "warmup_steps", "optimizer", "momentum", "weight_decay", "decay_norms", "nesterov",
        "clip", "label_smoothing", "precision", "device", "seed",
        "evaluate_every", "evaluate_batch", "keep_checkpoints", "checkpoint_minutes",
        "teacher_memory",
    ];

    /// <summary>Passes over the training set.</summary>
    public required int Epochs { get; init; }

    /// <summary>The learning rate (<c>lr</c>), how it falls (<c>schedule</c>), and the steps over which it first rises (<c>warmup_steps</c>).</summary>
    public required LearningRateSchedule Schedule { get; init; }

    /// <summary>What moves the parameters.</summary>
    public required OptimizerKind Optimizer { get; init; }

    /// <summary>SGD's momentum.</summary>
    public required double Momentum { get; init; }

    /// <summary>The optimizer's weight decay.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>Whether norms and biases decay too (<c>decay_norms</c>).</summary>
    public required bool DecayNorms { get; init; }

    /// <summary>The length that the gradients of a step are scaled down to where they are longer (<c>clip</c>); null for any.</summary>
    public double? Clip { get; init; }

    /// <summary>The share of each label that cross-entropy spreads over all classes (<c>label_smoothing</c>).</summary>
    public required double LabelSmoothing { get; init; }

    /// <summary>Whether SGD looks ahead.</summary>
    public required bool Nesterov { get; init; }

    /// <summary>The type of the heavy operators.</summary>
    public required Precision Precision { get; init; }

    /// <summary>Where to compute.</summary>
    public required Device Device { get; init; }

    /// <summary>Decides initial weights, order, augmentation and what methods draw.</summary>
    public required long Seed { get; init; }

    /// <summary>The student is measured after every so many epochs.</summary>
    public required int EvaluateEvery { get; init; }

    /// <summary>Images of one batch when the student is measured.</summary>
    public required int EvaluateBatch { get; init; }

    /// <summary>How many of the latest checkpoints are kept, beside the best.</summary>
    public required int KeepCheckpoints { get; init; }

    /// <summary>A checkpoint within an epoch whenever so many minutes have passed; null for never.</summary>
    public double? CheckpointMinutes { get; init; }

    /// <summary>Bytes for remembered outputs of the teacher: 0 for none, null for what seems right.</summary>
    public long? TeacherMemory { get; init; }

    internal static TrainSection Read(YamlValue value, Protocol protocol, string student, List<string> warnings)
    {
        const string positive = "a number above 0", notNegative = "a number of at least 0";
        var section = new RecipeSection(value, "train", Keys);
        var epochs = section.Int("epochs", min: 1, max: MaxEpochs) ?? protocol.Epochs;
        var train = new TrainSection
        {
            Epochs = epochs,
            Schedule = ReadSchedule(section, protocol, epochs, warnings) with
            {
                BaseRate = section.Number("lr", rate => rate > 0, positive) ?? protocol.LearningRate(student),
                WarmupSteps = section.Whole("warmup_steps", min: 0, max: long.MaxValue) ?? 0,
            },
            Momentum = section.Number("momentum", momentum => momentum is >= 0 and < 1, "a number from 0 to below 1") ?? Protocol.Momentum,
            WeightDecay = section.Number("weight_decay", decay => decay >= 0, notNegative) ?? protocol.WeightDecay,
            DecayNorms = section.Flag("decay_norms", true),
            Nesterov = section.Flag("nesterov", false),
            Clip = section.Number("clip", length => length > 0, "a number above 0, or null for none"),
            LabelSmoothing = section.Number("label_smoothing", share => share is >= 0 and < 1, "a number from 0 to below 1") ?? 0,
            Optimizer = section.Word("optimizer", "sgd", "sgd", "adam", "adamw") switch
            {
                "adam" => OptimizerKind.Adam,
                "adamw" => OptimizerKind.AdamW,
                _ => OptimizerKind.Sgd,
            },
            Precision = section.Word("precision", "auto", "auto", "fp32", "bf16", "tf32") switch
            {
                "fp32" => Precision.Fp32,
                "bf16" => Precision.Bf16,
                "tf32" => Precision.Tf32,
                _ => Precision.Auto,
            },
            Device = ReadDevice(section),
            Seed = section.Whole("seed", min: 0, max: long.MaxValue) ?? 1,
            EvaluateEvery = section.Int("evaluate_every", min: 1) ?? 1,
            EvaluateBatch = section.Int("evaluate_batch", min: 1) ?? 250,
            KeepCheckpoints = section.Int("keep_checkpoints", min: 1) ?? 2,
            CheckpointMinutes = section.Number("checkpoint_minutes", minutes => minutes is > 0 and < 1e6, "a number above 0, or null for never"),
            TeacherMemory = ReadTeacherMemory(section),
        };
        if (train.Optimizer != OptimizerKind.Sgd)
            foreach (var key in new[] { "momentum", "nesterov" })
                if (section[key] is not null)
                    throw section.Mistake(key, $"train.{key} is SGD's, but train.optimizer is {section["optimizer"]!.Text}; leave one of them out");
        if (train is { Nesterov: true, Momentum: 0 })
            throw section.Mistake("nesterov", "train.nesterov looks ahead along the momentum, but train.momentum is 0; change one of them");
        return train;
    }

    internal void Write(RecipeText text)
    {
        text.Section("train");
        text.Number<int>("epochs", Epochs);
        text.Number<double>("lr", Schedule.BaseRate);
        text.Raw("schedule", Schedule switch
        {
            MultiStepSchedule steps => $"{{ steps: {RecipeText.List(steps.Milestones.Select(RecipeText.Number))}, factor: {RecipeText.Number(steps.Gamma)} }}",
            CosineSchedule => "cosine",
            LinearSchedule => "linear",
            _ => "constant",
        });
        text.Number<long>("warmup_steps", Schedule.WarmupSteps);
        text.Raw("optimizer", Optimizer.ToString().ToLowerInvariant());
        if (Optimizer == OptimizerKind.Sgd) text.Number<double>("momentum", Momentum);
        text.Number<double>("weight_decay", WeightDecay);
        text.Flag("decay_norms", DecayNorms);
        if (Optimizer == OptimizerKind.Sgd) text.Flag("nesterov", Nesterov);
        text.Number("clip", Clip);
        text.Number<double>("label_smoothing", LabelSmoothing);
        text.Raw("precision", Precision.ToString().ToLowerInvariant());
        text.Raw("device", Device.ToString());
        text.Number<long>("seed", Seed);
        text.Number<int>("evaluate_every", EvaluateEvery);
        text.Number<int>("evaluate_batch", EvaluateBatch);
        text.Number<int>("keep_checkpoints", KeepCheckpoints);
        text.Number("checkpoint_minutes", CheckpointMinutes);
        text.Raw("teacher_memory", TeacherMemory switch { null => "auto", 0 => "off", { } bytes => DataSize.Text(bytes) });
    }

    static LearningRateSchedule ReadSchedule(RecipeSection section, Protocol protocol, int epochs, List<string> warnings)
    {
        const string forms = "cosine, linear, constant or { steps: [150, 180, 210], factor: 0.1 }";
        if (section["schedule"] is not { } value) return new MultiStepSchedule { Milestones = protocol.StepsOf(epochs), Gamma = Protocol.Factor };
        switch (value)
        {
            case { Kind: YamlKind.Scalar, Text: "cosine" }: return new CosineSchedule();
            case { Kind: YamlKind.Scalar, Text: "linear" }: return new LinearSchedule();
            case { Kind: YamlKind.Scalar, Text: "constant" }: return new ConstantSchedule();
            case not { Kind: YamlKind.Mapping }: throw section.Wrong("schedule", value, forms);
        }

        var schedule = new RecipeSection(value, "train.schedule", ["steps", "factor"]);
        var factor = schedule.Number("factor", factor => factor is > 0 and <= 1, "a number above 0 and at most 1") ?? Protocol.Factor;
        if (schedule["steps"] is not { } list) return new MultiStepSchedule { Milestones = protocol.StepsOf(epochs), Gamma = factor };

        const string rising = "a list of epochs in rising order, such as [150, 180, 210]";
        if (list.Kind != YamlKind.Sequence) throw schedule.Wrong("steps", list, rising);
        var steps = new List<int>();
        foreach (var item in list.Items)
        {
            if (!RecipeSection.IsWhole(item, steps.Count == 0 ? 1 : steps[^1] + 1L, MaxEpochs, out var step)) throw schedule.Wrong("steps", item, rising);
            steps.Add((int)step);
        }
        if (steps.Find(step => step >= epochs) is > 0 and var late)
            warnings.Add($"{list.Place}: the learning rate is to fall after epoch {late}, but training ends with epoch {epochs}; "
                + "leave train.schedule out and the steps follow train.epochs");
        return new MultiStepSchedule { Milestones = steps, Gamma = factor };
    }

    static long? ReadTeacherMemory(RecipeSection section)
    {
        const string must = "auto, off or a size such as 2 GB";
        return section.Text("teacher_memory", must) switch
        {
            null or "auto" => null,
            "off" => 0,
            { } text when DataSize.TryParse(text, out var bytes) => bytes,
            _ => throw section.Wrong("teacher_memory", section["teacher_memory"]!, must),
        };
    }

    static Device ReadDevice(RecipeSection section)
    {
        const string must = "cpu, cuda or cuda:N";
        if (section.Text("device", must) is not { } text) return Device.Cpu;
        try
        {
            var device = Device.Parse(text);
            return device.ToString() == text || text == "cuda" ? device : throw section.Wrong("device", section["device"]!, must);
        }
        catch (FormatException)
        {
            throw section.Wrong("device", section["device"]!, must);
        }
    }
}
