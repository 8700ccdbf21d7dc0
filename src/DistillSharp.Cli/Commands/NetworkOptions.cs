using System.CommandLine;
using System.Globalization;
using DistillSharp.Extending;
using DistillSharp.Interop;

namespace DistillSharp.Cli.Commands;

/// <summary>The options that name a network outside a run, and what is known of its images.</summary>
sealed class NetworkOptions
{
    readonly Option<string?> model = new("--model") { Description = "The network's name ('distill models' lists them)" };
    readonly Option<string?> weights = new("--weights")
    {
        Description = "Its weights: a PyTorch state dict (.pth) or safetensors",
        HelpName = "FILE",
    };
    readonly Option<string?> data = new("--data") { Description = "The data set it was trained on, for its normalization" };
    readonly Option<string?> mean = new("--mean")
    {
        Description = "The mean of each channel, 0..1, as in 0.485,0.456,0.406",
        HelpName = "R,G,B",
    };
    readonly Option<string?> std = new("--std") { Description = "The standard deviation of each channel", HelpName = "R,G,B" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { model, weights, data, mean, std }) command.Options.Add(option);
    }

    /// <summary>Whether a network was named by --model or --weights.</summary>
    public bool Given(ParseResult given) => (given.GetValue(model) ?? given.GetValue(weights)) is not null;

    public NetworkSource Source(ParseResult given, string? run, Toolkit toolkit, Terminal terminal) => new()
    {
        Toolkit = toolkit,
        Said = terminal.Error.WriteLine,
        Run = run,
        Model = given.GetValue(model),
        Weights = given.GetValue(weights),
        Dataset = given.GetValue(data),
        Mean = Numbers(given, mean),
        Std = Numbers(given, std),
    };

    static float[]? Numbers(ParseResult given, Option<string?> option)
    {
        if (given.GetValue(option) is not { } text) return null;
        return [.. text.Split(',')
            .Select(part => float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value
            : throw new UsageException($"{option.Name} takes three numbers separated by commas, not '{text}'"))];
    }
}
