using DistillSharp.Methods;
using Spectre.Console;

namespace DistillSharp.Cli.Commands;

sealed class MethodsCommand : CliCommand
{
    public MethodsCommand()
        : base("methods", "List the distillation methods and their settings.", "distill methods", "distill methods --json") => Takes(Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var methods = Toolkit.Methods.Names.Select(Toolkit.Methods.Create).ToArray();
        if (given.GetValue(Json))
        {
            terminal.Json(methods.Select(method => (Method: method, Card: MethodCard.Of(method))).Select(entry => new
            {
                entry.Card.Name, entry.Card.Formula, entry.Card.Source, entry.Card.Student, entry.Card.Teacher, entry.Card.Defaults,
                Settings = Setting.Of(entry.Method, entry.Card.Name)
                    .Select(setting => new { setting.Name, Default = setting.Read(entry.Method), setting.Allowed, setting.Description }),
            }));
            return 0;
        }
        foreach (var method in methods)
        {
            var card = MethodCard.Of(method);
            terminal.StyledOut.MarkupLineInterpolated($"[bold]{card.Name}[/]  {card.Formula}");
            terminal.StyledOut.MarkupLineInterpolated(
                $"  [gray]{card.Source}; needs {card.Student} of the student, {card.Teacher} of the teacher[/]");
            terminal.StyledOut.MarkupLineInterpolated($"  [gray]{card.Defaults}[/]");
            foreach (var setting in Setting.Of(method, method.Name))
                terminal.StyledOut.MarkupLineInterpolated(
                    $"  {setting.Name,-18} {setting.Read(method) ?? "by the pair",-12} {setting.Description} [gray]({setting.Allowed})[/]");
        }
        return 0;
    }
}
