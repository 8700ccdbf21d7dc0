using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Interop;
using DistillSharp.Torch.Distributed;

namespace DistillSharp.Experiments.Execution;

/// <summary>How an experiment ended.</summary>
/// <param name="Folder">The run's folder.</param>
/// <param name="Name">The run's name.</param>
/// <param name="Training">What training came to.</param>
/// <param name="Student">The student's figures.</param>
/// <param name="Seconds">From the first step to the last, over all sessions of this call.</param>
/// <param name="ImagesPerSecond">Training images per second over the epochs of this call.</param>
public sealed record ExperimentResult(
    string Folder, string Name, TrainingResult Training, NetworkFigures Student, double Seconds, double ImagesPerSecond)
{
    /// <summary>How fast the networks' convolutions alone run; null where no profile was asked for.</summary>
    public ConvolutionLimit? Convolutions { get; init; }

    /// <summary>Whether this process only trained with others: process 0 has the folder and the figures.</summary>
    public bool IsFollower { get; init; }
}

/// <summary>A network's name and size.</summary>
public sealed record NetworkFigures(string Network, long Parameters);

/// <summary>From a recipe to a run: loads what the recipe names, trains, and keeps the run's folder.</summary>
/// <param name="recipe">What to train.</param>
/// <param name="runsRoot">The folder of all runs.</param>
/// <param name="observer">Watches the run.</param>
public sealed class Experiment(Recipe recipe, string runsRoot, TrainingObserver observer)
{
    readonly RunLog log = new();
    IReadOnlyList<string> adopted = [];
    Precision precision = recipe.Train.Precision;

    /// <summary>Notes where a step's time goes; null for no profile. It may end the run early, with a checkpoint.</summary>
    public StepProfile? Profile { get; init; }

    /// <summary>Hears how far the data set's files have been looked at; null where nobody asks.</summary>
    public IProgress<WorkProgress>? Progress { get; init; }

    /// <summary>
    /// How the teacher of a file of weights was trained (TeacherCard knows it of those that were trained here), for the run's manifest;
    /// null where nobody asks.
    /// </summary>
    public Func<string, TeacherTraining?>? KnownTeacher { get; init; }

    /// <summary>On how many test images the teacher is looked at before the first step; 0 for none.</summary>
    public int TeacherSample { get; init; } = 1000;

    /// <summary>
    /// Where this process meets others that train the same run with it; null to train alone. Process 0 alone writes the folder, and
    /// tells the observer.
    /// </summary>
    public Rendezvous? Rendezvous { get; init; }

    /// <summary>
    /// Whether a run that is resumed takes over what differs in the given recipe's training, such as another learning rate; the
    /// run's manifest keeps what changed. More epochs need no such leave.
    /// </summary>
    public bool Adopt { get; init; }

    /// <summary>Trains in a new run folder, or goes on with the run of that name.</summary>
    /// <param name="name">The run's name; null for one made of teacher, student, methods and seed.</param>
    /// <param name="resume">Whether to go on with the run of that name where there is one.</param>
    /// <param name="exactName">Whether a name that is taken is refused; else a number is put behind it.</param>
    /// <param name="stop">Ends the run after the step under way, with a checkpoint.</param>
    /// <exception cref="UserException">A file is missing or damaged, a method cannot serve the pair, or training diverged.</exception>
    /// <exception cref="UsageException">The name is taken, or the run to resume was made from another recipe.</exception>
    public ExperimentResult Run(string? name = null, bool resume = false, bool exactName = true, CancellationToken stop = default)
    {
        if (resume && Path.Combine(runsRoot, name ?? RunName.Suggest(recipe)) is var path && RunReader.IsRun(path))
        {
            var run = RunReader.Load(path);
            var own = Recipe.Parse(run.Recipe, Path.Combine(path, RunFiles.Recipe), recipe.Toolkit);
            (recipe, adopted) = ResumedRecipe.Of(path, own, recipe, Adopt);
            // Measured again, auto might choose otherwise, and the run go on with other digits.
            precision = recipe.Train.Precision == Precision.Auto && Enum.TryParse<Precision>(run.Manifest.Precision, true, out var chosen)
                ? chosen : recipe.Train.Precision;
        }
        if (Rendezvous is null) return Run(null, name, resume, exactName, stop);
        var processes = ProcessVariables.Join(Rendezvous, Device);
        if (processes.Rank == 0) Say($"{processes.Size} processes train together, by {(Device.Type == DeviceType.Cuda ? "NCCL" : "Gloo")}");
        AgreeOnPrecision(processes);
        var result = processes.Rank > 0 ? Follow(processes, stop) : Run(processes, name, resume, exactName, stop);
        Leave(processes);
        return result;
    }

    // Whether bf16 is faster, each machine measures for itself: it is taken only where every process would.
    void AgreeOnPrecision(ProcessGroup processes)
    {
        using var scope = TensorScope.Open();
        var takes = precision.Resolve(Device) == Precision.Bf16;
        var all = processes.Sum(Tensor.From([takes ? 1L : 0]).To(processes.Device)).ToArray<long>()[0] == processes.Size;
        if (!takes || all) return;
        precision = Precision.Fp32;
        if (processes.Rank == 0) Say("not all processes compute in bf16 faster than in float32: float32 is computed");
    }

    // Only where all went well: else the others are gone, and leaving would wait for them.
    static void Leave(ProcessGroup processes)
    {
        try
        {
            processes.Barrier();
            processes.Dispose();
        }
        catch (ProcessGroupException)
        {
            // Another process ended before it left. The run is done and kept.
        }
    }

    // Trains along; what is said, measured and kept is process 0's.
    ExperimentResult Follow(ProcessGroup processes, CancellationToken stop)
    {
        var data = recipe.LoadData();
        using var teacher = recipe.Teacher?.Load(data, recipe.Toolkit, _ => { });
        using var student = CreateStudent(data.Classes, _ => { });
        using var trainer = CreateTrainer(student, teacher, data, processes);
        var result = trainer.Run(stop: stop);
        return new("", "", result, new(student.Name, student.ParameterCount), 0, 0) { IsFollower = true };
    }

    ExperimentResult Run(ProcessGroup? processes, string? name, bool resume, bool exactName, CancellationToken stop)
    {
        foreach (var warning in recipe.Warnings) Warn(warning);
        recipe.CheckFiles();
        var wanted = name ?? RunName.Suggest(recipe);
        var path = Path.Combine(runsRoot, wanted);
        // A run that goes on is held before anything is loaded.
        using var begun = resume && RunReader.IsRun(path) ? RunFolder.Open(path) : null;
        var data = recipe.LoadData(Progress);
        Say($"{data.Name}: {data.Found}");
        using var teacher = recipe.Teacher?.Load(data, recipe.Toolkit, Say);
        using var student = CreateStudent(data.Classes, Say);
        using var trainer = CreateTrainer(student, teacher, data, processes);
        begun?.GoOnWith(recipe, adopted);
        foreach (var change in adopted) Say($"adopted: {change}");
        using var folder = begun ?? RunFolder.Create(
            runsRoot, LookAt(teacher, data, Manifest(wanted, data, student)), recipe.Resolve(), exactName && name is not null);
        return Train(folder, trainer, student, data, resume: begun is not null, stop);
    }

    void Say(string message) => TrainingObserver.Of(log, observer).Said(message);

    void Warn(string message) => TrainingObserver.Of(log, observer).Warned(message);

    ExperimentResult Train(RunFolder folder, Trainer trainer, Classifier student, Dataset data, bool resume, CancellationToken stop)
    {
        log.Open(folder.Path);
        using var recorder = new RunWriter(folder, Warn);
        var speed = new Speedometer();
        try
        {
            var checkpoints = new CheckpointStore(folder.CheckpointsPath, recipe.Train.KeepCheckpoints);
            trainer.Profile = Profile;
            var result = trainer.Run(TrainingObserver.Of(recorder, speed, log, observer), checkpoints, resume, stop);
            if (result.Completed) WriteStudent(folder, trainer, data, result);
            recorder.End(result.Completed ? RunState.Finished : RunState.Interrupted);
            log.Said(result.Completed ? "finished" : "stopped, with a checkpoint");
            return new(folder.Path, folder.Name, result, new(student.Name, student.ParameterCount), speed.Seconds, speed.ImagesPerSecond)
            { Convolutions = Profile is { Steps: > 0 } ? trainer.MeasureConvolutions() : null };
        }
        catch (Exception error)
        {
            log.Said($"failed: {error.Message}");
            try { recorder.End(RunState.Failed, error.Message); }
            catch (UserException second)
            {
                // The first failure is the one to report; a full disk can well be the cause of both.
                Warn(second.Message);
            }
            throw;
        }
    }

    static void WriteStudent(RunFolder folder, Trainer trainer, Dataset data, TrainingResult result)
    {
        StudentFile.Write(Path.Combine(folder.Path, StudentFile.FileName), trainer.Deployed, data, result.Accuracy?.Top1);
        using var average = trainer.ShowAverage();
        if (average is not null)
            StudentFile.Write(Path.Combine(folder.Path, StudentFile.AverageFileName), trainer.Deployed, data, result.AverageAccuracy?.Top1);
    }

    Classifier CreateStudent(int classes, Action<string> say) =>
        recipe.Student.Create(classes, recipe.Toolkit, say, (ulong)recipe.Train.Seed);

    // The student's weights are drawn first, the methods' after them: both follow from the seed.
    Trainer CreateTrainer(Classifier student, Classifier? teacher, Dataset data, ProcessGroup? processes) =>
        new(student, teacher, recipe.CreateMethods(), data,
            recipe.ToTrainingOptions() with { Precision = precision, Device = Device, Processes = processes });

    Device Device => ProcessVariables.DeviceOf(recipe.Train.Device, Rendezvous);

    RunManifest Manifest(string name, Dataset data, Classifier student) => RunManifest.Of(recipe, name) with
    {
        Versions = RunVersions.Current(Runtime.Version),
        TrainImages = data.Train.Count,
        TestImages = data.Test.Count,
        Precision = precision.Resolve(recipe.Train.Device).ToString().ToLowerInvariant(),
        Parameters = student.ParameterCount,
    };

    // A network that guesses teaches nothing: that is better known before days of training than after.
    RunManifest LookAt(Classifier? teacher, Dataset data, RunManifest manifest)
    {
        if (teacher is null) return manifest;
        if (recipe.Teacher!.IsAverage)
        {
            Say("teacher: the moving average of the student");
            return manifest;
        }
        var known = recipe.Teacher.Members.Select(member => KnownTeacher?.Invoke(member.File)).ToList();
        var departures = known.OfType<TeacherTraining>().SelectMany(training => training.Departures).Distinct().ToList();
        manifest = manifest with { TeacherDepartures = known.Exists(training => training is not null) ? departures : null };
        data = recipe.Teacher.Shown(data);
        // Of several, one that is fed wrongly would hide behind the others.
        if (teacher is Ensemble several)
            foreach (var (member, training) in several.Members.Zip(known)) _ = LookAt(member, data, training?.Acc1);
        return LookAt(teacher, data, teacher is Ensemble ? null : known[0]?.Acc1) is not { } look ? manifest
            : manifest with { TeacherAcc1 = Math.Round(look.Accuracy.Top1, 4), TeacherImages = look.Accuracy.Images };
    }

    TeacherLook? LookAt(Classifier teacher, Dataset data, double? expected)
    {
        if (teacher.Input.Natural is var natural && natural != new Size2(data.Test.Height, data.Test.Width))
            Say($"teacher {teacher.Name}: made for images of {natural}, it gets {data.Test.Height}x{data.Test.Width}");
        if (!teacher.ShowsLogits) Say($"teacher {teacher.Name}: its accuracy is not known, since it shows no logits");
        if (TeacherSample <= 0 || !teacher.ShowsLogits) return null;
        var look = TeacherLook.Take(teacher, data, TeacherSample, expected, recipe.Train.Device, recipe.Train.EvaluateBatch);
        Say(look.Line);
        if (look.Warning is { } warning) Warn(warning);
        return look;
    }

    /// <summary>Adds up how long the epochs of this call took.</summary>
    sealed class Speedometer : TrainingObserver
    {
        readonly List<EpochMetrics> epochs = [];

        public double Seconds => epochs.Sum(epoch => epoch.Seconds);

        // Every epoch has the same images: the rate over all is the harmonic mean.
        public double ImagesPerSecond => epochs.FindAll(epoch => epoch.ImagesPerSecond > 0) is { Count: > 0 } timed
            ? timed.Count / timed.Sum(epoch => 1 / epoch.ImagesPerSecond) : 0;

        public override void EpochEnded(EpochMetrics metrics) => epochs.Add(metrics);
    }
}
