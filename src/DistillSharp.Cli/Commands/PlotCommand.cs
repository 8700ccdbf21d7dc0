using DistillSharp.Evaluation;
using DistillSharp.Experiments.Plots;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Cli.Commands;

sealed class PlotCommand() : CliGroup("plot", "Draw runs as SVG or PNG: training curves, t-SNE, logit correlation, confusion.",
    new PlotCurvesCommand(), new PlotTsneCommand(), new PlotCorrelationCommand(), new PlotConfusionCommand());

/// <summary>A command that draws one picture of runs.</summary>
abstract class PictureCommand : RunPicturesCommand
{
    readonly CliOption<string> output;

    protected PictureCommand(string name, string description, params string[] examples) : base(name, description, examples)
    {
        output = new("--out", "The picture to write, ending in .svg or .png", usual: $"{name}.svg", help: "FILE");
        Takes(Chosen, output);
    }

    public override int Run(ParseResult given, Terminal terminal)
    {
        var file = given.GetValue(output)!;
        Figure.CheckEnding(file);
        var figure = WorkProgressView.During(terminal, progress => Draw(given, terminal, progress));
        var (width, height) = figure.Save(file);
        terminal.Out.WriteLine($"{file}: {width}x{height}");
        return 0;
    }

    protected abstract Figure Draw(ParseResult given, Terminal terminal, IProgress<WorkProgress> progress);
}

/// <summary>A picture for which the networks must be run over the test images.</summary>
abstract class NetworkPictureCommand : PictureCommand
{
    protected NetworkPictureCommand(string name, string description, params string[] examples) : base(name, description, examples) =>
        Takes(Root, Images);

    protected NetworkPlots Plots(ParseResult given, IProgress<WorkProgress> progress) => new(Measure(given, progress), progress);
}

sealed class PlotCurvesCommand : PictureCommand
{
    readonly Option<CurveMetric> metric = Choice.Of<CurveMetric>("--metric", "What to show");
    readonly CliOption<string> title = new("--title", "The title above", usual: "");

    public PlotCurvesCommand() : base("curves", "Draw training curves over the epochs, a curve for each run.",
        "distill plot curves runs/resnet56-resnet20-kd-s1 runs/resnet56-resnet20-fsecd-s1 --out curves.svg",
        "distill plot curves runs/resnet56-resnet20-kd-s1 --metric loss --out loss.png") => Takes(metric, title);

    protected override Figure Draw(ParseResult given, Terminal terminal, IProgress<WorkProgress> progress) => TrainingCurves.Of(
        given.GetValue(Chosen)!.Select(RunReader.Load).Select(run => (run.Manifest.Name, run.Metrics)), given.GetValue(metric),
        given.GetValue(title)!).Draw();
}

sealed class PlotTsneCommand : NetworkPictureCommand
{
    readonly CliOption<double> perplexity = new("--perplexity", "How many neighbors each point is thought to have", usual: 30);
    readonly CliOption<int> iterations = new("--iterations", "Steps of gradient descent", usual: 1000);
    readonly CliOption<double> exaggeration = new("--exaggeration", "How much stronger neighbors attract at first", usual: 12);
    readonly CliOption<long> seed = new("--seed", "Decides which images are shown and how equal points are parted", usual: 0);

    public PlotTsneCommand() : base(
        "tsne", "Draw t-SNE of the features before the classifier: teacher and students side by side, colored by class.",
        "distill plot tsne runs/resnet56-resnet20-fsecd-s1 --out tsne.svg",
        "distill plot tsne runs/resnet56-resnet20-fsecd-s1 --points 5000 --perplexity 50 --out tsne.png") =>
        Takes(Points, perplexity, iterations, exaggeration, seed);

    protected override Figure Draw(ParseResult given, Terminal terminal, IProgress<WorkProgress> progress) => Plots(given, progress).Tsne(
        new Tsne
        {
            Perplexity = given.GetValue(perplexity), Iterations = given.GetValue(iterations),
            Exaggeration = given.GetValue(exaggeration), Seed = given.GetValue(seed),
        },
        given.GetValue(Points), terminal.Error.WriteLine);
}

sealed class PlotCorrelationCommand() : NetworkPictureCommand(
    "correlation", "Draw how the correlations between class logits differ between teacher and student.",
    "distill plot correlation runs/resnet56-resnet20-kd-s1 runs/resnet56-resnet20-fsecd-s1 --out correlation.svg")
{
    protected override Figure Draw(ParseResult given, Terminal terminal, IProgress<WorkProgress> progress) =>
        Plots(given, progress).Correlation();
}

sealed class PlotConfusionCommand() : NetworkPictureCommand("confusion", "Draw which classes a run's student takes for which.",
    "distill plot confusion runs/resnet56-resnet20-fsecd-s1 --out confusion.svg")
{
    protected override Figure Draw(ParseResult given, Terminal terminal, IProgress<WorkProgress> progress)
    {
        if (given.GetValue(Chosen)!.Length > 1) throw new UsageException("a confusion matrix is of one run; give one");
        return Plots(given, progress).Confusion();
    }
}
