using DistillSharp.Interop;
using DistillSharp.Onnx.Prediction;

namespace DistillSharp.Cli.Commands;

sealed class PredictCommand : CliCommand
{
    readonly NetworkOptions network = new();
    readonly CliArgument<string[]> places = new("RUN IMAGE", "A finished run's folder or an ONNX file (unless --model is given), then "
        + "images (JPEG, PNG, WebP, BMP, GIF), or folders of them")
    { Arity = ArgumentArity.OneOrMore };
    readonly CliOption<int> top = new("--top", "How many classes to name for each image", usual: 5);

    public PredictCommand() : base("predict", "Say what a trained network sees in images.",
        "distill predict runs/resnet56-resnet20-fsecd-s1 photo.jpg",
        "distill predict runs/resnet56-resnet20-fsecd-s1 photos --top 1 --json",
        "distill predict student.onnx photo.jpg",
        "distill predict --model resnet56 --weights resnet56.pth --data cifar100 photo.png") => Takes([places, .. network.All, top, Json]);

    public override int Run(ParseResult given, Terminal terminal)
    {
        string? run = null;
        var images = given.GetValue(places)!;
        if (!network.Given(given)) (run, images) = (images[0], images[1..]);
        if (images.Length == 0) throw new UsageException("no image was given; give image files, or folders of them, after the run");

        using ImagePredictor predictor = run is not null && OnnxPredictor.Takes(run) ? new OnnxPredictor(run)
            : new Predictor(network.Source(given, run, Toolkit, terminal).Load());
        var predictions = new List<Prediction>();
        foreach (var prediction in predictor.Predict(images, given.GetValue(top)))
        {
            predictions.Add(prediction);
            if (prediction.Error is { } error) terminal.Error.WriteLine($"distill: {error}");
            else if (!given.GetValue(Json))
                terminal.Out.WriteLine($"{prediction.File}: "
                    + string.Join(", ", prediction.Guesses.Select(guess => $"{guess.Class} {100 * guess.Probability:0.0} %")));
        }
        if (given.GetValue(Json)) terminal.Json(predictions);
        return predictions.Exists(prediction => prediction.Error is not null) ? 1 : 0;
    }
}
