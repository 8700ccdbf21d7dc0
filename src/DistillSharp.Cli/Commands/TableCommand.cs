using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Published;
using DistillSharp.Experiments.Registry;

namespace DistillSharp.Cli.Commands;

sealed class TableCommand : CliCommand
{
    readonly CliArgument<string> name = new("TABLE", "2, 3, 4 or 5: a table of the paper; cifar100: what was published elsewhere");
    readonly Option<TableFormat> format = Choice.Of<TableFormat>("--format", "How to write it");

    public TableCommand() : base("table", "Print a table of the paper, or what was published elsewhere, with our results beside it.",
        "distill table 3", "distill table 2 --runs runs --format tex", "distill table cifar100") => Takes(name, Runs, format);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var ours = RunRegistry.ListIn(given.GetValue(Runs)!);
        var (table, form) = (given.GetValue(name)!, given.GetValue(format));
        var text = table == "cifar100" ? PublishedTable.Write(ours, form)
            : int.TryParse(table, out var number) ? PaperTableWriter.Write(PaperTable.Of(number, ours), form)
            : throw new UsageException($"there is no table '{table}'; there are 2, 3, 4, 5 of the paper, and cifar100");
        terminal.Out.Write(text.EndsWith('\n') ? text : text + "\n");
        return 0;
    }
}
