using System.Diagnostics;
using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Training;

/// <summary>
/// The one training loop: the teacher looks at a batch, the student looks at it, the methods compare, the student moves. It
/// knows no method by name.
/// </summary>
public sealed class Trainer : IDisposable
{
    readonly Classifier student;
    readonly Classifier? teacher;
    readonly Objective objective;
    readonly Dataset data;
    readonly TrainingOptions options;
    readonly BatchLoader loader;
    readonly Sgd optimizer;
    readonly NormFolding? folding;
    readonly TeacherMemory? memory;
    readonly string[] matched;
    TrainingProgress progress = new();
    TrainingObserver observer = TrainingObserver.Of();

    /// <param name="student">The network to train, in place.</param>
    /// <param name="teacher">The network to follow; null where no method needs one. It is not changed.</param>
    /// <param name="methods">The methods beside cross-entropy; none trains the student on the labels alone.</param>
    /// <param name="data">What to train and measure on.</param>
    /// <param name="options">How to train; the defaults are the public comparison's for CIFAR-100.</param>
    /// <exception cref="UserException">A method cannot serve this pair, or needs a teacher where there is none.</exception>
    public Trainer(Classifier student, Classifier? teacher, IEnumerable<DistillationMethod> methods, Dataset data, TrainingOptions? options = null)
    {
        this.options = options ??= new();
        (this.student, this.data) = (student, data);
        objective = new(methods, options.CrossEntropyWeight);
        this.teacher = objective.TeacherFeatures is null ? null : teacher ?? throw new UsageException(
            $"{objective.Methods.First(method => method.TeacherFeatures is not null).Name} needs a teacher, and there is none");
        var lines = Bind();
        foreach (var module in new Module?[] { student, this.teacher, objective }) module?.To(options.Device);
        this.teacher?.RequireGrad(false);
        folding = this.teacher?.FoldNorms(new Size2(data.Train.Height, data.Train.Width));
        optimizer = new(student.Parameters().Concat(objective.Parameters()), options.Momentum, options.WeightDecay, options.Nesterov);
        loader = new(data.Train, data.Normalization, BatchOptions.Training(options.BatchSize, options.Seed, options.Augmentation));
        if (TeacherMemoryPlan.For(objective, data, options, out var why) is { } plan) memory = new(plan, Ask, line => observer.Said(line));
        matched = options.TeacherMemory > 0 && why is not null ? [.. lines, $"the teacher's answers are not remembered: {why}"] : [.. lines];
    }

    /// <summary>The methods, with their parameters and state.</summary>
    public Objective Objective => objective;

    /// <summary>Notes where a step's time goes, while it is set.</summary>
    public StepProfile? Profile { get; set; }

    /// <summary>Trains from the start, or from the latest checkpoint on.</summary>
    /// <param name="observer">Watches the run.</param>
    /// <param name="checkpoints">Where checkpoints are kept; null for none.</param>
    /// <param name="resume">Whether to go on from the latest checkpoint where there is one.</param>
    /// <param name="stop">Ends the run after the step under way, with a checkpoint.</param>
    /// <exception cref="TrainingDivergedException">A loss term became NaN or infinite.</exception>
    /// <exception cref="UserException">The checkpoints are of another run.</exception>
    public TrainingResult Run(TrainingObserver? observer = null, CheckpointStore? checkpoints = null, bool resume = false, CancellationToken stop = default)
    {
        this.observer = observer ?? TrainingObserver.Of();
        foreach (var line in matched) this.observer.Said(line);
        if (options.Precision.Departure(options.Device) is { } departure) this.observer.Said(departure);
        if (resume && checkpoints is not null) Restore(checkpoints);
        this.observer.Started(new(
            options.Epochs, loader.BatchCount, options.BatchSize, progress.Epoch, options.Precision.Resolve(options.Device), student.ParameterCount));

        if (Profile is not null) Profile.Device = options.Device;
        student.Train();
        teacher?.Train(false);
        objective.Train();
        var sinceCheckpoint = Stopwatch.StartNew();
        while (progress.Epoch <= options.Epochs)
        {
            memory?.BeginEpoch();
            Profile?.Begin();
            foreach (var batch in loader.Epoch(progress.Epoch, skip: progress.Batch))
            {
                var last = Step(batch);
                Profile?.EndStep(batch.Count, memory?.Spared ?? 0);
                if (last) break;
                if (stop.IsCancellationRequested || Profile is { IsDone: true })
                {
                    Save(checkpoints, best: false);
                    return Result(completed: false);
                }
                if (options.CheckpointEvery is { } interval && sinceCheckpoint.Elapsed > interval)
                {
                    Save(checkpoints, best: false);
                    sinceCheckpoint.Restart();
                    Profile?.Begin();
                }
            }
            var best = EndEpoch();
            Save(checkpoints, best);
            sinceCheckpoint.Restart();
            if ((stop.IsCancellationRequested || Profile is { IsDone: true }) && progress.Epoch <= options.Epochs) return Result(completed: false);
        }
        return Result(completed: true);
    }

    /// <summary>Measures how fast the networks' convolutions alone run here, for a step of this run.</summary>
    public ConvolutionLimit MeasureConvolutions() => ConvolutionLimit.Measure(
        student, teacher, new(data.Train.Height, data.Train.Width), options.BatchSize, options.Precision.Resolve(options.Device), options.Device);

    // One step; true when it was the epoch's last.
    bool Step(Batch batch)
    {
        var clock = Stopwatch.StartNew();
        using var scope = TensorScope.Open();
        var (images, labels, indices) = (batch.Images.To(options.Device), batch.Labels.To(options.Device), batch.Indices.To(options.Device));
        Profile?.Mark(StepPhase.Data);

        IReadOnlyList<LossTerm> terms;
        Tensor loss;
        using (options.Precision.Enter(options.Device))
        {
            var output = student.Forward(images, objective.StudentFeatures);
            Profile?.Mark(StepPhase.StudentForward);
            var guidance = Guidance(images, batch);
            Profile?.Mark(StepPhase.Teacher);
            terms = objective.Compute(new(output, guidance ?? output, labels, indices, progress.Epoch));
            loss = terms.Select(term => term.Value).Aggregate((sum, term) => sum + term);
        }

        var values = Values(terms);
        Profile?.Mark(StepPhase.Loss);
        optimizer.ZeroGrad();
        loss.Backward();
        Profile?.Mark(StepPhase.Backward);
        var rate = options.Schedule.At(new(progress.Step, loader.BatchCount, options.Epochs));
        optimizer.Step(rate);
        Profile?.Mark(StepPhase.Optimizer);

        progress.Count(batch.Count, clock.Elapsed.TotalSeconds, values);
        observer.Stepped(new(progress.Epoch, progress.Batch, progress.Step, values.Sum(term => term.Value), values, rate, progress.ImagesPerSecond));
        return progress.Batch == loader.BatchCount;
    }

    // The teacher's answer, as far as the methods need it.
    ClassifierOutput? Guidance(Tensor images, Batch batch)
    {
        if (teacher is null) return null;
        using var off = Autograd.NoGrad();
        return memory is null ? Ask(images) : memory.Answer(images, batch.Indices.Memory<long>(), batch.Variants);
    }

    ClassifierOutput Ask(Tensor images) => teacher!.Forward(images, objective.TeacherFeatures!.Value);

    // The terms as numbers; none may be NaN or infinite.
    (string Name, double Value)[] Values(IReadOnlyList<LossTerm> terms)
    {
        var values = Tensor.Stack([.. terms.Select(term => term.Value.Detach().To(DType.Float32).Reshape())]).ToArray<float>();
        for (var i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i]))
                throw new TrainingDivergedException(terms[i].Name, values[i], progress.Epoch, progress.Step + 1);
        return [.. terms.Zip(values, (term, value) => (term.Name, (double)value))];
    }

    // Measures the student and reports the epoch; true when it is the best so far.
    bool EndEpoch()
    {
        RefuseRuinedState();
        var clock = Stopwatch.StartNew();
        var epoch = progress.Epoch;
        var accuracy = default(Accuracy?);
        if (epoch % options.EvaluateEvery == 0 || epoch == options.Epochs)
        {
            observer.Evaluating(epoch);
            accuracy = Accuracy.Measure(student, data.Test, data.Normalization, options.Precision, options.Device, options.EvaluationBatchSize);
        }
        var best = accuracy is { } measured && !(measured.Acc1 <= progress.BestAcc1);
        if (best) (progress.BestAcc1, progress.BestEpoch) = (accuracy!.Value.Acc1, epoch);
        if (accuracy is { } now) (progress.LastAcc1, progress.LastAcc5) = (now.Acc1, now.Acc5);

        observer.EpochEnded(new()
        {
            Epoch = epoch,
            Step = progress.Step,
            Acc1 = accuracy?.Acc1,
            Acc5 = accuracy?.Acc5,
            Loss = progress.TermSums.Values.Sum() / progress.Images,
            Terms = progress.TermSums.ToDictionary(term => term.Key, term => term.Value / progress.Images),
            Lr = options.Schedule.At(new(progress.Step - 1, loader.BatchCount, options.Epochs)),
            ImagesPerSecond = progress.ImagesPerSecond,
            Seconds = progress.Seconds + clock.Elapsed.TotalSeconds,
            TeacherRemembered = memory is { Images: > 0 } ? (double)memory.Remembered / memory.Images : null,
        });
        progress.NextEpoch();
        return best;
    }

    void Save(CheckpointStore? checkpoints, bool best)
    {
        if (checkpoints is null) return;
        RefuseRuinedState();
        try
        {
            checkpoints.Save(Checkpoint.Of(progress, student, objective, optimizer), best);
        }
        catch (UserException error)
        {
            // A full disk must not end days of training: the older checkpoint is whole, and the next attempt may succeed.
            observer.Warned($"{error.Message.TrimEnd('.')}; training goes on without this checkpoint");
        }
    }

    // A step whose loss was finite can still ruin the weights, which only the next step's loss would show: too late for a
    // checkpoint made in between.
    void RefuseRuinedState()
    {
        foreach (var module in new Module[] { student, objective })
            foreach (var (name, tensor) in module.State())
                if (!tensor.AllFinite()) throw new TrainingDivergedException(name, progress.Epoch, progress.Step);
    }

    void Restore(CheckpointStore checkpoints)
    {
        if (checkpoints.Latest(observer.Warned) is not var (checkpoint, path)) return;
        checkpoint.Restore(student, objective, optimizer, path);
        progress = checkpoint.Progress;
        observer.Said($"resumed from {path}: epoch {progress.Epoch}, step {progress.Step}");
    }

    IReadOnlyList<string> Bind()
    {
        var image = new Size2(data.Train.Height, data.Train.Width);
        var member = PairMember.Of(student, image);
        var labels = data.Train.Labels.ToArray();
        return objective.Bind(new(member, teacher is null ? member : PairMember.Of(teacher, image), data.Classes, labels, (ulong)options.Seed));
    }

    TrainingResult Result(bool completed) => new(
        completed,
        progress.LastAcc1 is { } top1 && progress.LastAcc5 is { } top5 ? new MeasuredAccuracy(top1, top5) : null,
        progress.BestAcc1,
        progress.BestEpoch,
        progress.Epoch - 1,
        progress.Step);

    /// <summary>Frees the optimizer's and the methods' tensors; student and teacher stay the caller's.</summary>
    public void Dispose()
    {
        memory?.Dispose();
        folding?.Dispose();
        optimizer.Dispose();
        objective.Dispose();
    }
}
