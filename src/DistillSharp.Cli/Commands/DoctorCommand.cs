using DistillSharp.Verification;
using Spectre.Console;

namespace DistillSharp.Cli.Commands;

sealed class DoctorCommand : CliCommand
{
    public DoctorCommand() : base("doctor", "Look at this machine: which libtorch, how fast, and what would make it faster.",
        "distill doctor", "distill doctor --json") => Takes(Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var findings = Doctor.Examine();
        var healthy = findings.All(finding => finding.Healthy);
        if (given.GetValue(Json)) terminal.Json(new { healthy, findings });
        else
            foreach (var finding in findings)
            {
                terminal.StyledOut.MarkupLine($"{(finding.Healthy ? "[green]ok  [/]" : "[yellow]slow[/]")}  "
                    + $"{Markup.Escape(finding.Name),-22} {Markup.Escape(finding.Value)}");
                if (finding.Remedy is { } remedy)
                    terminal.StyledOut.MarkupLineInterpolated($"                              mend it with: [bold]{remedy}[/]");
            }
        return healthy ? 0 : 1;
    }
}
