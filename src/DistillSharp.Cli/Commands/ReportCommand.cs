using DistillSharp.Experiments.Measurement;
using DistillSharp.Experiments.Report;
using DistillSharp.Extending;

namespace DistillSharp.Cli.Commands;

sealed class ReportCommand : CliCommand
{
    readonly Argument<string[]> runs = RunPictures.Runs();
    readonly CliOption<string> html = new("--html", "The page to write", usual: "report.html", help: "FILE");
    readonly CliOption<string?> title = new("--title", "The page's title; the run's name where it is left out");
    readonly Option<string?> root = RunPictures.Root();
    readonly Option<int?> images = RunPictures.Images();
    readonly Option<int> points = RunPictures.Points();

    public ReportCommand() : base(
        "report", "Write runs as one HTML page that needs no network: table, curves, t-SNE, accuracy by class, mistakes, recipes.",
        "distill report runs/resnet56-resnet20-fsecd-s1 --html report.html",
        "distill report runs/resnet56-resnet20-kd-s1 runs/resnet56-resnet20-fsecd-s1 --html both.html --title Comparison") =>
        Takes(runs, html, title, root, images, points);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var file = given.GetValue(html)!;
        var measured = WorkProgressView.During(terminal, progress =>
        {
            var measured = RunPictures.Measure(given, runs, root, images, Toolkit, progress);
            new RunReport
            {
                Title = given.GetValue(title), Runs = measured.Runs, Images = measured.Images, MapPoints = given.GetValue(points),
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
static class RunPictures
{
    public static CliArgument<string[]> Runs() => new("RUN", "The folders of the runs") { Arity = ArgumentArity.OneOrMore };

    public static CliOption<string?> Root() => new("--root", "The folder that holds the data set; the run's own where it is left out");

    public static CliOption<int?> Images() => new("--images", "Look at no more than so many test images, as many of each class");

    public static CliOption<int> Points() => new("--points", "Points of each t-SNE map", usual: 2000);

    public static MeasuredRuns Measure(ParseResult given,
        Argument<string[]> runs, Option<string?> root, Option<int?> images, Toolkit toolkit, IProgress<WorkProgress> progress) =>
        MeasuredRuns.Load(given.GetValue(runs)!, given.GetValue(root), given.GetValue(images), progress, toolkit);
}
