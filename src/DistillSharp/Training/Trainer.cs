using System.Diagnostics;
using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch.Distributed;

namespace DistillSharp.Training;

/// <summary>
/// The one training loop: batches become steps, steps become epochs, and after an epoch the student is measured. It knows no
/// method by name.
/// </summary>
public sealed class Trainer : IDisposable
{
    readonly Classifier student;
    readonly Classifier? teacherNetwork;
    readonly Teacher? teacher;
    readonly Dataset data;
    readonly TrainingOptions options;
    readonly BatchLoader loader;
    readonly TrainingStep step;
    readonly AveragedStudent? average;
    readonly StudentQuantizer? quantizer;
    readonly string? cacheRefusal, departure;
    readonly JointTraining? joint;
    TrainingProgress progress = new();
    readonly DamageReports damages;
    long warnedAt = -1;
    TrainingObserver observer = TrainingObserver.Of();

    /// <param name="student">The network to train, in place.</param>
    /// <param name="teacher">The network to follow; null where no method needs one. It is not changed.</param>
    /// <param name="methods">The methods beside cross-entropy; none trains the student on the labels alone.</param>
    /// <param name="data">What to train and measure on.</param>
    /// <param name="options">How to train; what it leaves unsaid is the data set's protocol.</param>
    /// <exception cref="UserException">A method cannot serve this pair, or needs a teacher where there is none.</exception>
    public Trainer(
        Classifier student, Classifier? teacher, IEnumerable<DistillationMethod> methods, Dataset data, TrainingOptions? options = null)
    {
        (this.student, this.data, damages) = (student, data, new(data));
        options = (options ?? new()).For(data, student);
        options.Validate();
        departure = options.Precision.Departure(options.Device);
        // From here on what is computed: processes that train together compare it.
        this.options = options = options with { Precision = options.Precision.Resolve(options.Device) };
        Objective = new(methods, options.CrossEntropyWeight, options.LabelSmoothing);
        var batches = JointTraining.Shared(BatchOptions.Training(options.BatchSize, options.Seed, options.Augmentation)
            with
        { Threads = options.LoaderThreadsOrIdle }, options.Processes);
        if (Objective.OfTwoViews is { } looker)
        {
            if (options.Augmentation.Mixing.Concat(options.SecondView.Mixing).FirstOrDefault() is { } mixed)
                throw new UsageException($"{looker.Name} compares two views of an image, and augmentation '{mixed.Name}' mixes two "
                    + "images; leave one of them out");
            batches = batches with { SecondView = options.SecondView };
        }
        if (Objective.TeacherFeatures is not null) batches = batches with { Teacher = options.TeacherInput };
        loader = new(data.Train, data.Normalization, batches);
        if (options.Augmentation.Mixing is [var mixing, ..]
            && Objective.Methods.FirstOrDefault(method => method.NeedsOneLabel) is { } single)
            throw new UsageException($"{single.Name} needs one label for each image, and augmentation '{mixing.Name}' "
                + "mixes two; leave one of them out");
        if (Objective.TeacherFeatures is { } features)
        {
            teacherNetwork = teacher ?? throw new UsageException(
                $"{Objective.Methods.First(method => method.TeacherFeatures is not null).Name} needs a teacher, and there is none");
            if (!teacher.ShowsLogits && Objective.Methods.FirstOrDefault(
                method => method is { TeacherFeatures: not null, UsesTeacherLogits: true }) is { } blind)
                throw new UserException($"{blind.Name} needs the teacher's logits, and {teacher.Name} shows pooled features alone");
            this.teacher = options.TeacherIsAverage
                ? new AverageTeacher(teacherNetwork, features, TeacherImageSize, options.Device)
                : new FrozenTeacher(teacherNetwork, features, TeacherImageSize, options.Device,
                    TeacherCachePlan.For(Objective, data, options, out cacheRefusal), SharedAnswers(features), line => observer.Said(line));
        }
        var member = PairMember.Of(student, ImageSize);
        DistillationPair pair = new(member, this.teacher?.Member ?? member, data.Classes, data.Train.Labels.ToArray(), (ulong)options.Seed)
        { IsImageNet = options.Protocol!.IsImageNet };
        try
        {
            step = new(student, this.teacher, Objective, pair, options);
            Deployed = Objective.Deployed(student);
            if (options.AverageDecay is { } decay) average = new(Deployed, decay);
            if (options.Quantization is { } quantization) quantizer = step.Quantizer = Quantizer(quantization);
            Follow();
            if (options.Processes is { Size: > 1 } processes) joint = new(processes, student, Objective, step.Optimizer, average);
        }
        catch
        {
            // A teacher that does not fit is handed back as it came.
            this.teacher?.Dispose();
            throw;
        }
    }

    /// <summary>The methods, with their parameters and state.</summary>
    public Objective Objective { get; }

    /// <summary>The network that is measured, and kept and exported after training: the student with what methods add to it.</summary>
    public Classifier Deployed { get; }

    /// <summary>Shows the weights' moving average in <see cref="Deployed"/> until the result is disposed; null where none is.</summary>
    public IDisposable? ShowAverage() => average?.Show();

    /// <summary>Notes where a step's time goes, while it is set.</summary>
    public StepProfile? Profile { get; set; }

    Func<Classifier, TeacherAnswers?>? SharedAnswers(Features features)
    {
        if (options.TeacherFolder is not { } folder || (features & ~Features.Pooled) != 0 || options.Device.Type != DeviceType.Cpu)
            return null;
        return network => TeacherAnswers.Open(
            folder, options.TeacherFolderBytes, network, options.Precision, line => observer.Said(line));
    }

    StudentQuantizer Quantizer(QuantizedTraining quantization) => Deployed == student
        ? quantization.For(student, Objective.StudentFeatures, ImageSize)
        : throw new UserException($"{Deployed.Name} is more than the student, which alone can be trained in {quantization.Name}; leave out "
            + "the method that adds to it");

    Size2 ImageSize => new(data.Train.Height, data.Train.Width);

    Size2 TeacherImageSize => options.TeacherInput?.Size is { } side ? new(side, side) : ImageSize;

    /// <summary>Trains from the start, or from the latest checkpoint on.</summary>
    /// <param name="observer">Watches the run.</param>
    /// <param name="checkpoints">Where checkpoints are kept; null for none.</param>
    /// <param name="resume">Whether to go on from the latest checkpoint where there is one.</param>
    /// <param name="stop">Ends the run after the step under way, with a checkpoint.</param>
    /// <exception cref="TrainingDivergedException">A loss term became NaN or infinite.</exception>
    /// <exception cref="UserException">The checkpoints are of another run.</exception>
    public TrainingResult Run(
        TrainingObserver? observer = null, CheckpointStore? checkpoints = null, bool resume = false, CancellationToken stop = default)
    {
        this.observer = observer ?? TrainingObserver.Of();
        try { return Run(checkpoints, resume, stop); }
        catch (ProcessGroupException lost) when (joint is not null) { throw joint.Report(lost, progress); }
        catch (DamagedImageException damage)
        {
            throw new UserException(
                $"{damage.Message}; mend or remove it, or leave it out by data.damaged=skip"
                + (checkpoints is null ? "" : $", and the run, resumed, goes on after step {progress.Step}"), damage);
        }
        finally { quantizer?.IsActive = false; }
    }

    TrainingResult Run(CheckpointStore? checkpoints, bool resume, CancellationToken stop)
    {
        if (departure is not null) observer.Said(departure);
        if (Runtime.LeavesOutOneDnn)
            observer.Said("libtorch's oneDNN computes wrong convolutions on this processor and is left out: some layers take longer");
        foreach (var note in step.Notes) observer.Said(note);
        foreach (var doubt in Objective.Methods.Select(method => method.Doubt(options.Epochs)).OfType<string>()) observer.Warned(doubt);
        if (options.BatchSize > data.Train.Count)
            observer.Warned(
                $"a batch of {options.BatchSize} is larger than the training set of {data.Train.Count}: every step has all its images");
        if (options.TeacherMemory > 0 && cacheRefusal is not null)
            observer.Said($"the teacher's answers are not remembered: {cacheRefusal}");
        if (resume && checkpoints is not null) Restore(checkpoints);
        if (joint is not null) progress = joint.Begin(progress, data.Train, options);
        Follow();
        progress.Processes = joint?.Count ?? 1;
        observer.Started(
            new(options.Epochs, loader.BatchCount, options.BatchSize, progress.Epoch, options.Precision, student.ParameterCount));

        Profile?.Device = options.Device;
        while (progress.Epoch <= options.Epochs)
        {
            Quantize();
            TrainEpoch(checkpoints, stop);
            var trained = progress.Batch == loader.BatchCount;
            // Before the student is measured: a damaged test image, or a kill meanwhile, costs no training.
            if (!trained || IsMeasured) Save(checkpoints, best: false);
            if (!trained) return Result(completed: false);
            var best = EndEpoch();
            Save(checkpoints, best);
            var none = default(DamagedImageException);
            if (IsToStop(IsAsked(stop), ref none) && progress.Epoch <= options.Epochs) return Result(completed: false);
        }
        if (step.RecordingRefusal is { } refusal) observer.Said(refusal);
        if (teacher?.Summary is { } summary) observer.Said(summary);
        return Result(completed: true);
    }

    /// <summary>Measures how fast the networks' convolutions alone run here, for a step of this run.</summary>
    public ConvolutionLimit MeasureConvolutions() => ConvolutionLimit.Measure(
        student, ImageSize, teacherNetwork, TeacherImageSize, options.BatchSize, options.Precision, options.Device);

    // Trains on what is left of the epoch, or until asked to stop.
    void TrainEpoch(CheckpointStore? checkpoints, CancellationToken stop)
    {
        var sinceCheckpoint = Stopwatch.StartNew();
        teacher?.BeginEpoch();
        Profile?.Begin();
        using var batches = loader.Epoch(progress.Epoch, skip: progress.Batch).GetEnumerator();
        for (var first = true; progress.Batch < loader.BatchCount; first = false)
        {
            // Waiting for the batch and for the other processes counts too.
            var clock = Stopwatch.StartNew();
            // Asked before the step: then processes that train together stop at the same one, whichever has no batch to train on.
            var damage = Advance(batches);
            if (IsToStop(!first && IsAsked(stop), ref damage))
            {
                if (damage is null) return;
                Save(checkpoints, best: false);
                throw damage;
            }
            var batch = batches.Current;
            Train(batch, clock);
            Profile?.EndStep(batch.Count, step.SkippedImages);
            if (options.CheckpointEvery is { } interval && sinceCheckpoint.Elapsed > interval)
            {
                Save(checkpoints, best: false);
                sinceCheckpoint.Restart();
                Profile?.Begin();
            }
        }
    }

    static DamagedImageException? Advance(IEnumerator<Batch> batches)
    {
        try
        {
            batches.MoveNext();
            return null;
        }
        catch (DamagedImageException damage) { return damage; }
    }

    // From its first epoch in whole numbers on, the student is measured in them as well: so it will be used.
    void Quantize()
    {
        if (quantizer is null) return;
        var first = options.FirstQuantizedEpoch;
        quantizer.IsActive = progress.Epoch >= first;
        if (progress.Epoch > first || (progress.Epoch == first && progress.Batch > 0)) return;
        student.TrainedRanges = null;
        if (quantizer.IsActive)
            observer.Said(
                $"from this epoch on the student is trained and measured in {options.Quantization!.Name}: rounded as its export will be");
    }

    void Follow() => (teacher as AverageTeacher)?.Follow(average!);

    bool IsMeasured => progress.Epoch % options.EvaluateEvery == 0 || progress.Epoch == options.Epochs;

    bool IsAsked(CancellationToken stop) => stop.IsCancellationRequested || Profile is { IsDone: true };

    // Where one process is to stop, all do, and say why; what one left out, all know of.
    bool IsToStop(bool asked, ref DamagedImageException? damage)
    {
        var own = damages.Take(damage);
        var stops = asked || damage is not null;
        IReadOnlyList<DamageReport> reports = [own];
        if (joint is not null) (stops, reports) = joint.Agree(stops, own);
        damages.Tell(reports.SelectMany(report => report.Skipped), observer);
        damage ??= reports.Select(report => report.Fatal).FirstOrDefault(fatal => fatal is not null) is { } theirs
            ? new(theirs.File, theirs.Why) : null;
        return stops;
    }

    void Train(Batch batch, Stopwatch clock)
    {
        var rate = options.Schedule.At(new(progress.Step, loader.BatchCount, options.Epochs));
        var terms = step.Run(batch, rate, progress.Epoch, progress.Step + 1, Profile);
        average?.Update();
        Follow();
        if (quantizer is not null) progress.Ranges = student.TrainedRanges;
        progress.Count(batch.WholeCount, clock.Elapsed.TotalSeconds, terms);
        var loss = terms.Sum(term => term.Value);
        observer.Stepped(new(progress.Epoch, progress.Batch, progress.Step, loss, terms, rate, progress.ImagesPerSecond));
    }

    // Measures the student and reports the epoch; true when it is the best so far.
    bool EndEpoch()
    {
        step.RefuseRuinedState(progress.Epoch, progress.Step);
        var clock = Stopwatch.StartNew();
        var epoch = progress.Epoch;
        var accuracy = default(Accuracy?);
        if (IsMeasured)
        {
            observer.Evaluating(epoch);
            joint?.ShareStatistics();
            // In float32 whatever the run's precision: that is how the student is measured afterwards, and used.
            accuracy = progress.Accuracy = Measure();
            using (ShowAverage())
                if (average is not null) progress.AverageAccuracy = Measure();
        }
        var best = accuracy is { } measured && !(measured.Top1 <= progress.BestAcc1);
        if (best) (progress.BestAcc1, progress.BestEpoch) = (accuracy!.Value.Top1, epoch);

        observer.EpochEnded(new()
        {
            Epoch = epoch, Step = progress.Step, Acc1 = accuracy?.Top1, Acc5 = accuracy?.Top5,
            AverageAcc1 = accuracy is null ? null : progress.AverageAccuracy?.Top1,
            Loss = progress.TermSums.Values.Sum() / progress.Images,
            Terms = progress.TermSums.ToDictionary(term => term.Key, term => term.Value / progress.Images),
            Lr = options.Schedule.At(new(progress.Step - 1, loader.BatchCount, options.Epochs)),
            ImagesPerSecond = progress.ImagesPerSecond, Seconds = progress.Seconds + clock.Elapsed.TotalSeconds,
            TeacherRemembered = teacher?.Remembered,
        });
        progress.NextEpoch();
        return best;
    }

    Accuracy Measure() => Accuracy.Measure(
        Deployed, data.Test, data.Normalization, Precision.Fp32, options.Device, options.EvaluationBatchSize, options.LoaderThreadsOrIdle,
        processes: options.Processes);

    void Save(CheckpointStore? checkpoints, bool best)
    {
        if (checkpoints is null) return;
        step.RefuseRuinedState(progress.Epoch, progress.Step);
        try { checkpoints.Save(Checkpoint.Of(progress, student, Objective, step.Optimizer, average?.State()), best); }
        catch (UserException error)
        {
            // Before and after the student is measured it is the same checkpoint.
            if (warnedAt == progress.Step) return;
            warnedAt = progress.Step;
            // A full disk must not end days of training: the older checkpoint is whole, and the next attempt may succeed.
            observer.Warned($"{error.Message.TrimEnd('.')}; training goes on without this checkpoint");
        }
    }

    void Restore(CheckpointStore checkpoints)
    {
        if (checkpoints.Latest(observer.Warned) is not var (checkpoint, path)) return;
        checkpoint.Restore(student, Objective, step.Optimizer, path, average?.State());
        Follow();
        progress = checkpoint.Progress;
        // Images may have been taken away meanwhile.
        progress.Batch = Math.Min(progress.Batch, loader.BatchCount);
        if (quantizer is not null) student.TrainedRanges = progress.Ranges;
        observer.Said($"resumed from {path}: epoch {progress.Epoch}, step {progress.Step}");
        if (JointTraining.Change(progress.Processes, joint?.Count ?? 1, options.SyncNorm) is { } note) observer.Warned(note);
    }

    TrainingResult Result(bool completed) =>
        new(completed, progress.Accuracy, progress.BestAcc1, progress.BestEpoch, progress.Epoch - 1, progress.Step)
        { AverageAccuracy = progress.AverageAccuracy };

    /// <summary>Frees the optimizer's and the methods' tensors; student and teacher stay the caller's.</summary>
    public void Dispose()
    {
        teacher?.Dispose();
        average?.Dispose();
        quantizer?.Dispose();
        step.Dispose();
        Objective.Dispose();
    }
}
