using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Cli.Commands;

sealed class SweepCommand : CliCommand
{
    readonly CliArgument<string> file = new("FILE", "The sweep's YAML file: pairs, methods, seeds and settings, or recipes");
    readonly CliOption<int> jobs = new("--jobs", "Runs side by side; they share the machine's cores", usual: 1);
    readonly CliOption<int?> epochs = new("--epochs", "Train every run for so many epochs, as --set train.epochs=N");
    readonly CliOption<bool> dryRun = new("--dry-run", "List the runs with an estimate of their time; train nothing");
    readonly Option<Cluster?> submit =
        Choice.OrNone<Cluster>("--submit", "Write a job of a cluster with an element for each run, instead of training here");
    readonly CliOption<bool> run = new("--run", "With --submit: also submit it");
    readonly CliOption<string> image = new("--image", "With --submit kubernetes: the container image", usual: "distillsharp");
    readonly CliOption<string> claim =
        new("--claim", "With --submit kubernetes: the PersistentVolumeClaim that holds this folder", usual: "distill");

    readonly IReadOnlyList<string> program;

    /// <param name="program">The command that stands for <c>distill</c> in the runs' processes; this one where it is left out.</param>
    public SweepCommand(IReadOnlyList<string>? program = null) : base(
        "sweep", "Train a matrix of runs; started again, it skips what is finished and resumes what was cut off.",
        "distill sweep recipes/sweeps/table3.yaml --dry-run",
        "distill sweep recipes/sweeps/table3.yaml --epochs 24 --set data.root=/data --jobs 2",
        "distill sweep recipes/sweeps/table3.yaml --submit slurm")
    {
        this.program = program ?? TrainingProcess.ThisProgram;
        Takes(file, jobs, epochs, Set, dryRun, submit, run, image, claim, Runs, Json);
    }

    public override int Run(ParseResult given, Terminal terminal)
    {
        string[] shorter = given.GetValue(epochs) is { } count ? [FormattableString.Invariant($"train.epochs={count}")] : [];
        var (sweep, root) = (Sweep.Load(given.GetValue(file)!, Toolkit, [.. given.GetValue(Set) ?? [], .. shorter]), given.GetValue(Runs)!);
        var plan = SweepPlan.Of(sweep.Runs, root);
        foreach (var warning in plan.Problems.Concat(plan.MissingFiles())) terminal.Error.WriteLine($"warning: {warning}");
        if (given.GetValue(dryRun))
        {
            if (given.GetValue(Json)) terminal.Json(plan.Entries.Select(Described));
            else Show(plan, terminal);
            return 0;
        }

        string[] training = [.. program, .. Names.Plugins.SelectMany(file => new[] { "--plugin", Path.GetFullPath(file) })];
        if (given.GetValue(submit) is { } cluster) return Submit(cluster, plan, training, given, terminal);
        if (given.GetValue(run)) throw new UsageException("--run submits what --submit writes; give both, or neither to train here");

        SweepRecord.Of(given.GetValue(file)!, sweep).Save(root);
        if (ServedPage.Find(root) is { } page) terminal.Error.WriteLine($"shown at {page}#/sweeps");
        using var stop = new StopOnInterrupt(terminal);
        var runner = new SweepRunner(new TrainingProcess(training, root).Start, new Lines(terminal, plan));
        var outcomes = runner.Run(plan, given.GetValue(jobs), stop.Token).GetAwaiter().GetResult();
        var end = SweepPlan.Of(sweep.Runs, root);
        if (given.GetValue(Json))
            terminal.Json(end.Entries
                .Zip(outcomes, (entry, outcome) => new { run = Described(entry), result = Word(outcome.Result), outcome.Message }));
        else Show(end, terminal);
        foreach (var failed in outcomes.Where(outcome => outcome.Result == SweepResult.Failed))
            terminal.Error.WriteLine($"failed: {failed.Entry.Run}: {failed.Message}");
        return outcomes.All(outcome => outcome.Result is SweepResult.Finished or SweepResult.Skipped) ? 0 : 1;
    }

    int Submit(Cluster cluster, SweepPlan plan, string[] command, ParseResult given, Terminal terminal)
    {
        // In a container the command is the image's own.
        string[] there = cluster == Cluster.Kubernetes ? ["distill", .. command.Skip(program.Count)] : command;
        var job = ClusterJob.Write(
            cluster, plan, Path.GetFileNameWithoutExtension(given.GetValue(file)!), there, given.GetValue(image)!, given.GetValue(claim)!);
        var said = given.GetValue(run) ? job.Submit() : null;
        if (given.GetValue(Json)) terminal.Json(new { job = job.File, runs = job.Runs, submit = job.Submission, said });
        else terminal.Out.WriteLine(said ?? $"{job.Runs} runs are in {job.File}; submit them with: {string.Join(' ', job.Submission)}");
        return 0;
    }

    static object Described(SweepEntry entry) => new
    {
        name = entry.Run, state = Word(entry.State), epochs = entry.Spec.Recipe.Train.Epochs,
        epochs_done = entry.Existing?.EpochsDone ?? 0, acc1 = entry.Existing?.FinalAcc1, seconds_left = entry.SecondsLeft,
        measured_by = entry.Basis, recipe_digest = entry.Spec.Digest,
    };

    static void Show(SweepPlan plan, Terminal terminal)
    {
        var table = new FittingTable(new("run"), new("state"), new("epochs", IsNumber: true, Drop: 3), new("Acc1 %", IsNumber: true),
            new("time left", IsNumber: true, Drop: 2), new("as measured by", Drop: 1))
        { ForAll = "--json has all" };
        foreach (var entry in plan.Entries)
            table.Add(entry.Run, Word(entry.State), $"{entry.Existing?.EpochsDone ?? 0}/{entry.Spec.Recipe.Train.Epochs}",
                Figures.Percent(entry.Existing?.FinalAcc1),
                entry.SecondsLeft is > 0 and { } left ? TimeSpan.FromSeconds(left).Shown()
                    : entry.State == SweepState.Finished ? "" : "unknown",
                entry.Basis ?? "");
        table.Write(terminal);
        terminal.Out.WriteLine(Sum(plan));
    }

    static string Sum(SweepPlan plan)
    {
        var states = plan.Entries.GroupBy(entry => entry.State).OrderByDescending(group => group.Key)
            .Select(group => $"{group.Count()} {Word(group.Key)}");
        var time = plan.Entries.All(entry => entry.State == SweepState.Finished) ? ""
            : plan.WithoutEstimate == 0
            ? $"; about {TimeSpan.FromSeconds(plan.SecondsLeft).Shown()} of training left, at the images/s measured here"
            : plan.SecondsLeft > 0
                ? $"; about {TimeSpan.FromSeconds(plan.SecondsLeft).Shown()} of training left, and {plan.WithoutEstimate.Of("run")} whose "
                    + "students were never timed here"
            : "; no time is known: none of these students was ever trained on this machine";
        return $"{plan.Entries.Count.Of("run")}: {string.Join(", ", states)}{time}";
    }

    static string Word(Enum value) => value.ToString().ToLowerInvariant();

    /// <summary>A line for each run that starts or ends.</summary>
    sealed class Lines(Terminal terminal, SweepPlan plan) : SweepObserver
    {
        int ended;

        public override void Started(RunStart start) => Line($"{(start.Resume ? "resumes" : "starts")} {start.Run} on "
            + $"{start.Threads.Of("thread")}, log {Path.Combine(plan.RunsRoot, TrainingProcess.FolderName, start.Run + ".log")}");

        public override void Waiting(SweepEntry entry, int? process) => Line($"waits for {entry.Run}, at which process {process} is");

        public override void Ended(SweepOutcome outcome)
        {
            ended++;
            if (outcome.Result != SweepResult.Skipped)
                Line($"{Word(outcome.Result)} {outcome.Entry.Run}{(outcome.Message is null ? "" : $": {outcome.Message}")} ({ended} of "
                    + $"{plan.Entries.Count})");
        }

        void Line(string text) => terminal.Error.WriteLine(text);
    }
}
