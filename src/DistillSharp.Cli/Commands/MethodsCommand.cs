using System.CommandLine;
using DistillSharp.Methods;
using Spectre.Console;

namespace DistillSharp.Cli.Commands;

sealed class MethodsCommand : CliCommand
{
    readonly Option<bool> json = JsonOption();

    public MethodsCommand() : base("methods", "List the distillation methods and their settings.", "distill methods", "distill methods --json") => Options.Add(json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var methods = Toolkit.Methods.Names.Select(Toolkit.Methods.Create).ToArray();
        if (given.GetValue(json))
        {
            terminal.Json(methods.Select(method => new
            {
                method.Name,
                Settings = Setting.Of(method, method.Name).Select(setting => new { setting.Name, Default = setting.Read(method), setting.Allowed, setting.Description }),
            }));
            return 0;
        }
        foreach (var method in methods)
        {
            terminal.StyledOut.MarkupLineInterpolated($"[bold]{method.Name}[/]");
            foreach (var setting in Setting.Of(method, method.Name))
                terminal.StyledOut.MarkupLineInterpolated($"  {setting.Name,-18} {setting.Read(method) ?? "by the pair",-12} {setting.Description} [gray]({setting.Allowed})[/]");
        }
        return 0;
    }
}
