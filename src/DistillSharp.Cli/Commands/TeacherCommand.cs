using DistillSharp.Experiments.Paper;

namespace DistillSharp.Cli.Commands;

sealed class TeacherCommand : CliCommand
{
    readonly CliArgument<string[]> wanted =
        new("TABLE|NAME", "Tables of the paper (table3 or 3), or teachers by name (resnet56)") { Arity = ArgumentArity.OneOrMore };
    readonly CliOption<string> folder = new("--to", "The folder that keeps the teachers", usual: "teachers", help: "DIR");
    readonly CliOption<int?> epochs = new("--epochs", "Train for so many epochs, as --set train.epochs=N");

    public TeacherCommand() : base(
        "teacher", "Train the teachers that a table of the paper needs, and keep them; those that are there stay as they are.",
        "distill teacher table3 --set data.root=/data", "distill teacher resnet56 wrn_40_2 --epochs 24 --to teachers") =>
        Takes(wanted, folder, epochs, Set, Runs, Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        string[] shorter = given.GetValue(epochs) is { } count ? [FormattableString.Invariant($"train.epochs={count}")] : [];
        var networks = PaperTeachers.Needed(given.GetValue(wanted)!);
        using var stop = new StopOnInterrupt(terminal);
        using var progress = TrainingProgressView.For(terminal);
        var kept = new PaperTeachers(given.GetValue(folder)!, given.GetValue(Runs)!, progress)
            .Train(networks, [.. given.GetValue(Set) ?? [], .. shorter], stop.Token);
        progress.Dispose();
        if (given.GetValue(Json))
            terminal.Json(kept.Select(one => new
            {
                one.Network, one.File, trained = one.Result is not null, acc1 = one.Result?.Training.Accuracy?.Top1,
                acc5 = one.Result?.Training.Accuracy?.Top5, run = one.Result?.Folder,
            }));
        else
            foreach (var one in kept)
                terminal.Out.WriteLine(
                    one.Result is null ? $"{one.File}: kept as it was"
                    : $"{one.File}: Acc1 {one.Result.Training.Accuracy?.Top1:0.00} %, from {one.Result.Folder}");
        return kept.Count == networks.Count ? 0 : 1;
    }
}
