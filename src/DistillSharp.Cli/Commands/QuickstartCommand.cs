using DistillSharp.Experiments.Quickstart;

namespace DistillSharp.Cli.Commands;

sealed class QuickstartCommand : CliCommand
{
    readonly CliOption<string> data = new("--data-root", "The folder of Fashion-MNIST's IDX files", usual: QuickstartExperiment.DebianData);
    readonly CliOption<long> seed = new("--seed", "The students' seed", usual: 1);

    public QuickstartCommand() : base(
        "quickstart", "Train a teacher once, then one small student by cross-entropy, KD and FSECD, and compare.",
        "distill quickstart", "distill quickstart --seed 2 --json") => Takes(data, seed, Set, Runs, Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        using var stop = new StopOnInterrupt(terminal);
        using var progress = TrainingProgressView.For(terminal);
        var runsRoot = given.GetValue(Runs)!;
        var quickstart = new QuickstartExperiment(given.GetValue(data)!, runsRoot, progress);
        var rows = quickstart.Run(given.GetValue(seed), given.GetValue(Set), stop.Token);
        progress.Dispose();
        if (given.GetValue(Json))
            terminal.Json(rows.Select(row => new
            {
                row.Method, network = row.Result.Student.Network, acc1 = row.Result.Training.Accuracy?.Top1,
                acc5 = row.Result.Training.Accuracy?.Top5, row.Result.Student.Parameters, row.Result.ImagesPerSecond,
                row.Result.Seconds, run = row.Result.Folder,
            }));
        else Show(rows, terminal);
        if (rows.Count < 4) return 1;
        // The page is no run to stop with a checkpoint: Ctrl-C ends it at once.
        stop.Dispose();
        var report = Path.GetFullPath(quickstart.Report(rows));
        // With --json, standard output holds the one value.
        (given.GetValue(Json) ? terminal.Error : terminal.Out).WriteLine($"report   {report}");
        return 0;
    }

    static void Show(IReadOnlyList<QuickstartRow> rows, Terminal terminal)
    {
        var table = new FittingTable(new("method"), new("network", Drop: 3),
            new("Acc1 %", IsNumber: true), new("Acc5 %", IsNumber: true, Drop: 4), new("parameters", IsNumber: true, Drop: 1),
            new("images/s", IsNumber: true, Drop: 2), new("time", IsNumber: true))
        { ForAll = "--json has all" };
        foreach (var (method, result) in rows)
        {
            // The teacher of an earlier quickstart was not trained again.
            var trained = result.Seconds > 0;
            table.Add(method, result.Student.Network, Figures.Percent(result.Training.Accuracy?.Top1),
                Figures.Percent(result.Training.Accuracy?.Top5), $"{result.Student.Parameters:N0}",
                trained ? Figures.Rate(result.ImagesPerSecond) : "kept", trained ? $"{result.Seconds:0} s" : "");
        }
        table.Write(terminal);
        foreach (var (method, result) in rows) terminal.Out.WriteLine($"{method,-8} {result.Folder}");
    }
}
