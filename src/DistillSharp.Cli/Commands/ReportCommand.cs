using DistillSharp.Experiments.Measurement;
using DistillSharp.Experiments.Report;
using DistillSharp.Extending;

namespace DistillSharp.Cli.Commands;

sealed class ReportCommand : CliCommand
{
    readonly Argument<string[]> runs = RunPictures.Runs();
    readonly Option<string> html = new("--html")
    {
        Description = "The page to write",
        HelpName = "FILE",
        DefaultValueFactory = _ => "report.html",
    };
    readonly Option<string?> title = new("--title") { Description = "The page's title; the run's name where it is left out" };
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
                Title = given.GetValue(title), Runs = measured.Runs, Images = measured.Images, MapPoints = given.GetValue(points)
            }.Save(
                    file, progress: progress);
            return measured;
        });
        foreach (var run in measured.Runs.Where(run => run.Missing is not null))
            terminal.Error.WriteLine($"warning: {run.Run.Manifest.Name} is without pictures: {run.Missing}");
        terminal.Out.WriteLine(
            $"{file}: {measured.Runs.Count} run{(measured.Runs.Count == 1 ? "" : "s")}, {new FileInfo(file).Length / 1e6:0.0} "
                + "MB; open it in any browser");
        return 0;
    }
}

/// <summary>What commands that make pictures of runs have in common.</summary>
static class RunPictures
{
    public static Argument<string[]> Runs() => new("RUN") { Description = "The folders of the runs", Arity = ArgumentArity.OneOrMore };

    public static Option<string?> Root() => new("--root")
    {
        Description = "The folder that holds the data set; the run's own where it is left out",
    };

    public static Option<int?> Images() => new("--images")
    {
        Description = "Look at no more than so many test images, as many of each class",
    };

    public static Option<int> Points() => new("--points") { Description = "Points of each t-SNE map", DefaultValueFactory = _ => 2000 };

    public static MeasuredRuns Measure(
        ParseResult given, Argument<string[]> runs, Option<string?> root, Option<int?> images, Toolkit toolkit,
        IProgress<WorkProgress> progress) =>
        MeasuredRuns.Load(given.GetValue(runs)!, given.GetValue(root), given.GetValue(images), progress, toolkit);
}
