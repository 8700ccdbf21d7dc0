using DistillSharp.Extending;
using DistillSharp.Interop;

namespace DistillSharp.Cli.Commands;

/// <summary>The options that name a network outside a run, and what is known of its images.</summary>
sealed class NetworkOptions(string aboutData = "The data set it was trained on, for its normalization")
{
    readonly CliOption<string?> model = new("--model", "The network's name ('distill models' lists them)");
    readonly CliOption<string?> weights = new("--weights", "Its weights: a PyTorch state dict (.pth) or safetensors", help: "FILE");
    readonly CliOption<string?> data = new("--data", aboutData);
    readonly CliOption<string?> mean = new("--mean", "The mean of each channel, 0..1, as in 0.485,0.456,0.406", help: "R,G,B");
    readonly CliOption<string?> std = new("--std", "The standard deviation of each channel", help: "R,G,B");

    public CliArgument<string?> Run { get; } =
        new("RUN", "A finished run's folder, instead of --model and --weights") { Arity = ArgumentArity.ZeroOrOne };

    public Option[] All => [model, weights, data, mean, std];

    /// <summary>Whether a network was named by --model or --weights.</summary>
    public bool Given(ParseResult given) => (given.GetValue(model) ?? given.GetValue(weights)) is not null;

    /// <summary>The network that was asked for.</summary>
    /// <exception cref="UsageException">Too little was given, or a run beside a network.</exception>
    public NetworkSource Source(ParseResult given, string? run, Toolkit toolkit, Terminal terminal)
    {
        if (run is not null && Given(given)) throw new UsageException("give a run or --model with --weights, not both");
        if (run is null)
        {
            Require(given, model, "NAME");
            Require(given, weights, "FILE");
        }
        return new()
        {
            Toolkit = toolkit, Said = terminal.Error.WriteLine, Run = run, Model = given.GetValue(model),
            Weights = given.GetValue(weights), Dataset = given.GetValue(data), Mean = Numbers(given, mean), Std = Numbers(given, std),
        };
    }

    public void RequireData(ParseResult given) => Require(given, data, "NAME");

    static void Require(ParseResult given, Option<string?> option, string value)
    {
        if (given.GetValue(option) is null)
            throw new UsageException($"{option.Name} {value} is missing; give a run's folder, or --model NAME --weights FILE --data NAME");
    }

    static float[]? Numbers(ParseResult given, Option<string?> option)
    {
        if (given.GetValue(option) is not { } text) return null;
        return [.. text.Split(',')
            .Select(part => float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value
            : throw new UsageException($"{option.Name} takes three numbers separated by commas, not '{text}'"))];
    }
}
