using DistillSharp.Torch;
using DistillSharp.Verification;
using Spectre.Console;

namespace DistillSharp.Cli.Commands;

sealed class VerifyCommand : CliCommand
{
    readonly CliArgument<string> folder = new("DIR", "The folder of reference cases (*.safetensors, in folders below too)");
    readonly CliOption<string> device = new("--device", "Where to compute: cpu, cuda or cuda:N", usual: "cpu");
    readonly Option<string> precision = new CliOption<string>("--precision",
        "fp32, or bf16: training steps alone, against tolerances that bf16 can meet; skipped where the processor has no bf16",
        usual: "fp32").AcceptOnlyFromAmong("fp32", "bf16");

    public VerifyCommand() : base("verify", "Compare networks, losses, gradients and training steps with reference numbers.",
        "distill verify ../shared/reference", "distill verify cases --json") => Takes(folder, device, precision, Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var asJson = given.GetValue(Json);
        var (where, type) = (Devices.Find(given.GetValue(device)!), given.GetValue(precision) == "bf16" ? Precision.Bf16 : Precision.Fp32);
        if (type.Departure(where) is { } departure)
        {
            terminal.Error.WriteLine($"skipped: {departure}");
            return 0;
        }
        var results = new List<VerificationResult>();
        foreach (var result in Verifier.Run(given.GetValue(folder)!, where, type, Toolkit))
        {
            results.Add(result);
            if (!asJson) Show(result, terminal);
        }
        var counts = Enum.GetValues<VerificationOutcome>()
            .ToDictionary(outcome => outcome, outcome => results.Count(result => result.Outcome == outcome));
        if (asJson)
            terminal.Json(new
            {
                passed = counts[VerificationOutcome.Passed], failed = counts[VerificationOutcome.Failed],
                unknown = counts[VerificationOutcome.Unknown],
                cases = results.Select(result => new
                {
                    result.Case, result.Kind, outcome = result.Outcome.ToString().ToLowerInvariant(), result.WorstError,
                    result.Seconds, result.Details,
                }),
            });
        else
            terminal.Out.WriteLine($"{counts[VerificationOutcome.Passed]} passed, {counts[VerificationOutcome.Failed]} failed, "
                + $"{counts[VerificationOutcome.Unknown]} unknown");
        return counts[VerificationOutcome.Failed] == 0 ? 0 : 1;
    }

    static void Show(VerificationResult result, Terminal terminal)
    {
        var (word, color) = result.Outcome switch
        {
            VerificationOutcome.Passed => ("passed ", "green"),
            VerificationOutcome.Failed => ("FAILED ", "red"),
            _ => ("unknown", "yellow"),
        };
        var note = result.Outcome == VerificationOutcome.Passed
            ? $"worst relative error {result.WorstError:0.0e+0}, {result.Seconds:0.0} s" : "";
        terminal.StyledOut.MarkupLine($"[{color}]{word}[/]  {Markup.Escape(result.Case),-48} {note}");
        foreach (var detail in result.Details) terminal.StyledOut.MarkupLine($"           {Markup.Escape(detail)}");
    }
}
