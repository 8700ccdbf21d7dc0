using DistillSharp.Experiments.Measurement;

namespace DistillSharp.Cli.Commands;

sealed class EvalCommand : CliCommand
{
    readonly NetworkOptions network = new("The data set's name; a run's own where it is left out");
    readonly CliOption<string?> root = new("--root", "The folder that holds the data set's files or archive");
    readonly CliOption<string> precision = new("--precision", "fp32, tf32, bf16 or auto", usual: "fp32");

    public EvalCommand() : base("eval", "Measure a network's accuracy on a test set.",
        "distill eval --model resnet56 --weights resnet56.pth --data cifar100 --root data",
        "distill eval --model resnet56 --weights resnet56.pth --data cifar100 --root data --set data.test_limit=1000 --json",
        "distill eval runs/resnet56-resnet20-fsecd-s1") => Takes([network.Run, .. network.All, root, precision, Set, Json]);

    public override int Run(ParseResult given, Terminal terminal)
    {
        if (given.GetValue(network.Run) is null) network.RequireData(given);
        var request = new EvaluationRequest
        {
            Source = network.Source(given, given.GetValue(network.Run), Toolkit, terminal), Root = given.GetValue(root),
            Overrides = [$"train.precision={given.GetValue(precision)}", .. given.GetValue(Set) ?? []],
        };
        var report = WorkProgressView.During(terminal, progress => EvaluationReport.Measure(request, progress));
        foreach (var note in report.Notes) terminal.Error.WriteLine(note);
        if (given.GetValue(Json)) terminal.Json(report);
        else
            terminal.Out.WriteLine(
                $"{report.Model} on {report.Images} test images of {report.Dataset}: {Figures.Accuracies(report.Acc1, report.Acc5)} " +
                $"({report.Precision}, {report.Parameters} parameters, {Figures.Rate(report.ImagesPerSecond)} images/s)");
        return 0;
    }
}
