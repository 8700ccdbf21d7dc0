using System.CommandLine;
using System.Globalization;
using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Cli.Commands;

sealed class SweepCommand : CliCommand
{
    readonly Argument<string> file = new("FILE") { Description = "The sweep's YAML file: pairs, methods, seeds and settings, or recipes" };
    readonly Option<int> jobs = new("--jobs")
    {
        Description = "Runs side by side; they share the machine's cores",
        DefaultValueFactory = _ => 1,
    };
    readonly Option<int?> epochs = new("--epochs") { Description = "Train every run for so many epochs, as --set train.epochs=N" };
    readonly Option<string[]> set = CommonOptions.Set();
    readonly Option<bool> dryRun = new("--dry-run") { Description = "List the runs with an estimate of their time; train nothing" };
    readonly Option<string> runs = CommonOptions.Runs();
    readonly Option<bool> json = JsonOption();

    readonly IReadOnlyList<string> program;

    /// <param name="program">The command that stands for <c>distill</c> in the runs' processes; this one where it is left out.</param>
    public SweepCommand(IReadOnlyList<string>? program = null) : base(
        "sweep", "Train a matrix of runs; started again, it skips what is finished and resumes what was cut off.",
        "distill sweep recipes/sweeps/table3.yaml --dry-run",
        "distill sweep recipes/sweeps/table3.yaml --epochs 24 --set data.root=/data --jobs 2")
    {
        this.program = program ?? TrainingProcess.ThisProgram;
        Arguments.Add(file);
        foreach (var option in new Option[] { jobs, epochs, set, dryRun, runs, json }) Options.Add(option);
    }

    public override int Run(ParseResult given, Terminal terminal)
    {
        string[] shorter = given.GetValue(epochs) is { } count
            ? [string.Create(CultureInfo.InvariantCulture, $"train.epochs={count}")] : [];
        var (sweep, root) = (Sweep.Load(given.GetValue(file)!, Toolkit, [.. given.GetValue(set) ?? [], .. shorter]), given.GetValue(runs)!);
        var plan = SweepPlan.Of(sweep.Runs, root);
        foreach (var warning in plan.Problems.Concat(plan.MissingFiles())) terminal.Error.WriteLine($"warning: {warning}");
        if (given.GetValue(dryRun))
        {
            if (given.GetValue(json)) terminal.Json(plan.Entries.Select(Described));
            else Show(plan, terminal);
            return 0;
        }

        SweepRecord.Of(given.GetValue(file)!, sweep).Save(root);
        if (ServedPage.Find(root) is { } page) terminal.Error.WriteLine($"shown at {page}#/sweeps");
        using var stop = new StopOnInterrupt(terminal);
        string[] training = [.. program, .. Names.Plugins.SelectMany(file => new[] { "--plugin", Path.GetFullPath(file) })];
        var runner = new SweepRunner(new TrainingProcess(training, root).Start, new Lines(terminal, plan));
        var outcomes = runner.Run(plan, given.GetValue(jobs), stop.Token).GetAwaiter().GetResult();
        var end = SweepPlan.Of(sweep.Runs, root);
        if (given.GetValue(json))
            terminal.Json(end.Entries
                .Zip(outcomes, (entry, outcome) => new { run = Described(entry), result = Word(outcome.Result), outcome.Message }));
        else Show(end, terminal);
        foreach (var failed in outcomes.Where(outcome => outcome.Result == SweepResult.Failed))
            terminal.Error.WriteLine($"failed: {failed.Entry.Run}: {failed.Message}");
        return outcomes.All(outcome => outcome.Result is SweepResult.Finished or SweepResult.Skipped) ? 0 : 1;
    }

    static object Described(SweepEntry entry) => new
    {
        name = entry.Run,
        state = Word(entry.State),
        epochs = entry.Spec.Recipe.Train.Epochs,
        epochs_done = entry.Existing?.EpochsDone ?? 0,
        acc1 = entry.Existing?.FinalAcc1,
        seconds_left = entry.SecondsLeft,
        measured_by = entry.Basis,
        recipe_digest = entry.Spec.Digest,
    };

    static void Show(SweepPlan plan, Terminal terminal)
    {
        var table = new FittingTable(
            new("run"), new("state"), new("epochs", IsNumber: true, Drop: 3), new("Acc1 %", IsNumber: true),
            new("time left", IsNumber: true, Drop: 2),
            new("as measured by", Drop: 1))
        {
            ForAll = "--json has all",
        };
        foreach (var entry in plan.Entries)
            table.Add(
                entry.Run, Word(entry.State), $"{entry.Existing?.EpochsDone ?? 0}/{entry.Spec.Recipe.Train.Epochs}",
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

        public override void Started(RunStart start) =>
            Line($"{(start.Resume ? "resumes" : "starts")} {start.Run} on {start.Threads.Of("thread")}, "
                + $"log {Path.Combine(plan.RunsRoot, TrainingProcess.FolderName, start.Run + ".log")}");

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
