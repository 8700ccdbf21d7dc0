using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Training;

/// <summary>
/// One step of training: the student looks at a batch, the teacher looks at it, the methods compare, the student moves. The
/// trainer takes it again and again, and <c>distill verify</c> compares it with reference numbers.
/// </summary>
public sealed class TrainingStep : IDisposable
{
    readonly Classifier student;
    readonly Teacher? teacher;
    readonly Objective objective;
    readonly TrainingOptions options;
    readonly SharedGradients? shared;
    RecordedStep? recorded;
    bool recordable;
    (int Epoch, int Steps) begun;

    /// <summary>Binds the methods to the pair and makes everything ready on the device.</summary>
    /// <param name="student">The network to train, in place.</param>
    /// <param name="teacher">The network to follow; null where no method needs one.</param>
    /// <param name="objective">What to train on; not bound yet.</param>
    /// <param name="pair">Student and teacher, as the methods see them.</param>
    /// <param name="options">The optimizer with its settings, precision and device are taken from here.</param>
    /// <exception cref="UserException">A method cannot serve this pair, or there is no such device.</exception>
    public TrainingStep(Classifier student, Teacher? teacher, Objective objective, DistillationPair pair, TrainingOptions options)
    {
        (this.student, this.teacher, this.objective, this.options) = (student, teacher, objective, options);
        // Methods make their parameters when they are bound: only then can these be moved and trained.
        Notes = objective.Bind(pair);
        if (objective.TeacherFeatures is { } needed) teacher?.Features = needed;
        student.To(options.Device);
        objective.To(options.Device);
        var (trained, decoupled) = (student.Parameters().Concat(objective.Parameters()), options.Optimizer == OptimizerKind.AdamW);
        Optimizer = options.Optimizer == OptimizerKind.Sgd
            ? new Sgd(trained, options.Momentum, options.WeightDecay, options.Nesterov, options.DecayNorms)
            : new Adam(trained, weightDecay: options.WeightDecay, decoupled: decoupled, decayVectors: options.DecayNorms);
        if (options.Processes is { Size: > 1 } processes) shared = new(processes, student, objective, Optimizer, options);
        recordable = options is { CudaGraphs: true, Accumulate: 1 } && DeviceGraph.IsSupported(options.Device) && shared is null
            && teacher is not { Remembers: true } && objective.Methods.All(method => method.IsRecordable);
    }

    /// <summary>What the methods said of the pair, for the log.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Moves the student's and the methods' parameters, in this order.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>Why a GPU does not record steps that it should; null where it does, or none was to be expected to.</summary>
    internal string? RecordingRefusal { get; private set; }

    /// <summary>Lets the student compute in whole numbers while it is active; null where it never does.</summary>
    internal StudentQuantizer? Quantizer { get; set; }

    /// <summary>Images of the last batch that the teacher did not look at, as its answer was remembered.</summary>
    internal int SkippedImages { get; private set; }

    /// <summary>
    /// Takes a step. Student and methods are in training mode from then on, but for a student that is trained as it computes in whole
    /// numbers.
    /// </summary>
    /// <param name="batch">What to look at.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="epoch">The epoch under way, from 1: methods may rise over the first ones.</param>
    /// <param name="number">The step since the run's start, from 1, for messages.</param>
    /// <param name="profile">Notes where the time goes.</param>
    /// <returns>The weighted terms of the loss before the step; their sum is the loss.</returns>
    /// <exception cref="TrainingDivergedException">A term is NaN or infinite; the weights are as before.</exception>
    /// <remarks>
    /// A GPU records the passes of an epoch's third step, and replays them for the rest of it, where
    /// <see cref="TrainingOptions.CudaGraphs"/> lets it and every method <see cref="DistillationMethod.IsRecordable"/>. No bit changes.
    /// </remarks>
    public IReadOnlyList<(string Name, double Value)> Run(Batch batch, double rate, int epoch, long number, StepProfile? profile = null)
    {
        using var scope = TensorScope.Open();
        // In whole numbers, norms keep the statistics that they have.
        var quantized = Quantizer is { IsActive: true };
        if (student.Training == quantized) student.Train(!quantized);
        if (!objective.Training) objective.Train();
        SkippedImages = 0;
        Optimizer.ZeroGrad();
        var terms = profile is null && Recorded(batch, epoch) is { } recording
            ? Finite(recording.Terms, recording.Run(batch), epoch, number) : AddGradients(batch, epoch, number, profile);
        begun.Steps++;
        if (options.ClipGradients is { } bound) Optimizer.ClipGradients(bound);
        Optimizer.Step(rate);
        profile?.Mark(StepPhase.Optimizer);
        return terms;
    }

    // The recording of this epoch's passes; null where a batch's are to be done operator by operator.
    RecordedStep? Recorded(Batch batch, int epoch)
    {
        if (begun.Epoch != epoch)
        {
            begun = (epoch, 0);
            recorded?.Dispose();
            recorded = null;
        }
        // The first steps make ready what is not to be repeated: kernels, buffers, what methods set up.
        const int first = 2;
        if (!recordable || begun.Steps < first || Quantizer is { IsActive: true }) return null;
        try { recorded ??= new(batch, options.Device, Optimizer.Parameters, Passes); }
        catch (TorchException refusal)
        {
            // Slower is better than not at all.
            recordable = false;
            RecordingRefusal = $"steps are not recorded, and take longer: {refusal.Message}";
            Optimizer.ZeroGrad();
            return null;
        }
        return recorded.Count == batch.Count ? recorded : null;

        (string[] Terms, Tensor Values) Passes(DeviceBatch given)
        {
            var terms = Compare(batch, given, epoch, profile: null, out var loss);
            loss.Backward();
            return ([.. terms.Select(term => term.Name)], Values(terms));
        }
    }

    (string Name, double Value)[] AddGradients(Batch batch, int epoch, long number, StepProfile? profile)
    {
        var sums = new Dictionary<string, double>();
        foreach (var part in batch.Parts(options.PartSize))
        {
            var share = (double)part.Count / batch.Count;
            foreach (var (name, value) in AddGradient(part, share, epoch, number, profile))
                sums[name] = sums.GetValueOrDefault(name) + share * value;
        }
        return [.. sums.Select(term => (term.Key, term.Value))];
    }

    // Adds the gradient of a part's mean loss times its share of the batch to what is there.
    (string Name, double Value)[] AddGradient(Batch part, double share, int epoch, long number, StepProfile? profile)
    {
        using var scope = TensorScope.Open();
        var given = DeviceBatch.Of(part, options.Device);
        profile?.Mark(StepPhase.Data);
        var terms = Compare(part, given, epoch, profile, out var loss);
        var values = Values(terms).ToArray<float>();
        // Of all processes: what one cannot go on with, none can.
        if (shared is not null) values = shared.Values(terms, values, part);
        var finite = Finite([.. terms.Select(term => term.Name)], values, epoch, number);
        profile?.Mark(StepPhase.Loss);
        shared?.Begin();
        (share == 1 ? loss : loss * share).Backward();
        shared?.End();
        profile?.Mark(StepPhase.Backward);
        return finite;
    }

    // What both networks make of a batch, and the methods of that.
    IReadOnlyList<LossTerm> Compare(Batch batch, in DeviceBatch given, int epoch, StepProfile? profile, out Tensor loss)
    {
        using var precision = options.Precision.Enter(options.Device);
        var output = Look(given.Images);
        profile?.Mark(StepPhase.StudentForward);
        var guidance = teacher?.Answer(batch, given.TeacherImages ?? given.Images);
        SkippedImages += teacher?.SkippedImages ?? 0;
        profile?.Mark(StepPhase.Teacher);
        var terms = objective.Compute(new(output, guidance ?? output, given.Labels, given.Indices, epoch)
        {
            Mix = given.Mix,
            Second = given.SecondImages is { } again ? LookAgain(again, given.TeacherSecondImages ?? again) : null,
            Peers = shared?.PeersOf(batch) ?? BatchPeers.None,
        });
        loss = terms.Select(term => shared?.Share(term, batch) ?? term.Value).Aggregate((sum, term) => sum + term);
        return terms;
    }

    ClassifierOutput Look(Tensor images) => Quantizer is { IsActive: true } quantizer
        ? quantizer.Learn(images, objective.StudentFeatures, options.Device) : student.Forward(images, objective.StudentFeatures);

    SecondView LookAgain(Tensor images, Tensor teachers)
    {
        var output = Look(images);
        return new(output, teacher?.Look(teachers) ?? output);
    }

    /// <summary>Refuses weights, statistics or method state that hold NaN or infinite values.</summary>
    /// <remarks>A step of finite loss can still ruin the weights, which only the next loss would show: too late for a checkpoint.</remarks>
    /// <param name="epoch">The epoch under way, from 1.</param>
    /// <param name="number">The last step that was done, from 1.</param>
    /// <exception cref="TrainingDivergedException">There is such a value.</exception>
    public void RefuseRuinedState(int epoch, long number)
    {
        foreach (var module in new Module[] { student, objective })
            foreach (var (name, tensor) in module.State())
                if (!tensor.AllFinite()) throw new TrainingDivergedException(name, epoch, number);
    }

    static Tensor Values(IReadOnlyList<LossTerm> terms) =>
        Tensor.Stack([.. terms.Select(term => term.Value.Detach().To(DType.Float32).Reshape())]);

    static (string Name, double Value)[] Finite(string[] terms, float[] values, int epoch, long number)
    {
        for (var i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i])) throw new TrainingDivergedException(terms[i], values[i], epoch, number);
        return [.. terms.Zip(values, (name, value) => (name, (double)value))];
    }

    /// <summary>Frees the optimizer's state; networks and methods stay the caller's.</summary>
    public void Dispose()
    {
        recorded?.Dispose();
        shared?.Dispose();
        Optimizer.Dispose();
    }
}
