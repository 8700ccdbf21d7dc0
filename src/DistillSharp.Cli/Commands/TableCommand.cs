using System.CommandLine;
using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Registry;

namespace DistillSharp.Cli.Commands;

sealed class TableCommand : CliCommand
{
    readonly Argument<int> number = new("NUMBER") { Description = "The table's number in the paper: 2, 3, 4 or 5" };
    readonly Option<string> runs = CommonOptions.Runs();
    readonly Option<TableFormat> format = Choice.Of<TableFormat>("--format", "How to write it");

    public TableCommand() : base(
        "table", "Print a table of the paper with our results beside the paper's.",
        "distill table 3", "distill table 2 --runs runs --format tex")
    {
        Arguments.Add(number);
        Options.Add(runs);
        Options.Add(format);
    }

    public override int Run(ParseResult given, Terminal terminal)
    {
        var table = PaperTable.Of(given.GetValue(number), RunRegistry.ListIn(given.GetValue(runs)!));
        var text = PaperTableWriter.Write(table, given.GetValue(format));
        terminal.Out.Write(text.EndsWith('\n') ? text : text + "\n");
        return 0;
    }
}
