using DistillSharp.Experiments.Measurement;
using DistillSharp.Experiments.Report;

namespace DistillSharp.Cli.Commands;

sealed class ReportCommand : RunPicturesCommand
{
    readonly CliOption<string> html = new("--html", "The page to write", usual: "report.html", help: "FILE");
    readonly CliOption<string?> title = new("--title", "The page's title; the run's name where it is left out");

    public ReportCommand() : base(
        "report", "Write runs as one HTML page that needs no network: table, curves, t-SNE, accuracy by class, mistakes, recipes.",
        "distill report runs/resnet56-resnet20-fsecd-s1 --html report.html",
        "distill report runs/resnet56-resnet20-kd-s1 runs/resnet56-resnet20-fsecd-s1 --html both.html --title Comparison") =>
        Takes(Chosen, html, title, Root, Images, Points);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var file = given.GetValue(html)!;
        var measured = WorkProgressView.During(terminal, progress =>
        {
            var measured = Measure(given, progress);
            new RunReport
            {
                Title = given.GetValue(title), Runs = measured.Runs, Images = measured.Images, MapPoints = given.GetValue(Points),
            }.Save(file, progress: progress);
            return measured;
        });
        foreach (var run in measured.Runs.Where(run => run.Missing is not null))
            terminal.Error.WriteLine($"warning: {run.Run.Manifest.Name} is without pictures: {run.Missing}");
        var size = new FileInfo(file).Length / 1e6;
        terminal.Out.WriteLine($"{file}: {measured.Runs.Count.Of("run")}, {size:0.0} MB; open it in any browser");
        return 0;
    }
}

/// <summary>What commands that make pictures of runs have in common.</summary>
abstract class RunPicturesCommand(string name, string description, params string[] examples) : CliCommand(name, description, examples)
{
    protected CliArgument<string[]> Chosen { get; } = new("RUN", "The folders of the runs") { Arity = ArgumentArity.OneOrMore };

    protected CliOption<string?> Root { get; } = new("--root", "The folder that holds the data set; the run's own where it is left out");

    protected CliOption<int?> Images { get; } = new("--images", "Look at no more than so many test images, as many of each class");

    protected CliOption<int> Points { get; } = new("--points", "Points of each t-SNE map", usual: 2000);

    protected MeasuredRuns Measure(ParseResult given, IProgress<WorkProgress> progress) =>
        MeasuredRuns.Load(given.GetValue(Chosen)!, given.GetValue(Root), given.GetValue(Images), progress, Toolkit);
}
