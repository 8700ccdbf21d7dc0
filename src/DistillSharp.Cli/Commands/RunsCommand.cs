using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Cli.Commands;

sealed class RunsCommand() : CliGroup("runs", "List, show, compare and remove runs; rebuild their registry from the run folders.",
    new RunsListCommand(), new RunsShowCommand(), new RunsCompareCommand(), new RunsRemoveCommand(), new RunsRebuildCommand());

sealed class RunsListCommand : CliCommand
{
    const string AnyRecipe = "data: { set: cifar100 }\nstudent: { network: resnet8 }";

    readonly CliOption<string?> dataset = new("--dataset", "Only runs on this data set");
    readonly CliOption<string?> teacher = new("--teacher", "Only runs with this teacher");
    readonly CliOption<string?> student = new("--student", "Only runs of this student");
    readonly CliOption<string?> method = new("--method", "Only runs by this method: ce, fsecd, kd+crd");
    readonly CliOption<long?> seed = new("--seed", "Only runs of this seed");
    readonly Option<RunState?> state = Choice.OrNone<RunState>("--state", "Only runs that are so");
    readonly CliOption<string?> name = new("--name", "Only runs with this in their name");
    readonly CliOption<string?> digest = new("--digest", "Only runs of the recipe with this digest, or its beginning");
    readonly CliOption<string[]> set =
        new("--set", "Only runs whose recipe has this value: path=value (may be given several times)", usual: [], help: "path=value");
    readonly CliOption<bool> csv = new("--csv", "Print CSV, a line for each run");

    public RunsListCommand() : base("list", "List runs, oldest first.",
        "distill runs list --method fsecd --state finished", "distill runs list --set train.lr=0.05 --csv") =>
        Takes(Runs, dataset, teacher, student, method, seed, state, name, digest, set, Json, csv);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var settings = RunFilter.SettingsOf(given.GetValue(set) ?? []);
        // A value that no run can have finds none for ever; that is worth a word.
        foreach (var (path, value) in settings.Where(setting => setting.Key.StartsWith("train.", StringComparison.Ordinal)))
            _ = Recipe.Parse(AnyRecipe, "--set", Toolkit, $"{path}={value}");
        var found = RunRegistry.ListIn(given.GetValue(Runs)!, new RunFilter
        {
            Dataset = given.GetValue(dataset), Teacher = given.GetValue(teacher), Student = given.GetValue(student),
            Method = given.GetValue(method), Seed = given.GetValue(seed), State = given.GetValue(state),
            NameContains = given.GetValue(name), Digest = given.GetValue(digest), Settings = settings,
        });
        if (RunsOutput.Format(given, Json, csv) is { } format)
            terminal.Out.Write(format == RunsFormat.Json ? RunExport.ToJson(found) + "\n" : RunExport.ToCsv(found));
        else if (found.Count == 0) terminal.Error.WriteLine(RunsOutput.None(given.GetValue(Runs)!));
        else RunsOutput.Table(found).Write(terminal);
        return 0;
    }
}

sealed class RunsShowCommand : CliCommand
{
    readonly CliArgument<string> run = new("RUN", "The run, by name or folder");
    readonly CliOption<bool> csv = new("--csv", "Print the epochs as CSV");

    public RunsShowCommand() : base("show", "Show one run: results, machine, recipe, epochs.",
        "distill runs show resnet56-resnet20-fsecd-s1", "distill runs show resnet56-resnet20-fsecd-s1 --csv") =>
        Takes(run, Runs, Json, csv);

    public override int Run(ParseResult given, Terminal terminal)
    {
        using var registry = RunsOutput.Open(given, Runs);
        var shown = registry.Get(registry.NameOf(given.GetValue(run)!));
        var metrics = registry.Metrics(shown.Name);
        if (RunsOutput.Format(given, Json, csv) is { } format)
        {
            terminal.Out.Write(format == RunsFormat.Json ? RunExport.ToJson(shown, metrics) + "\n" : RunExport.ToCsv(metrics));
            return 0;
        }
        var facts = new FittingTable(new("of the run"), new("value"));
        foreach (var (key, value) in RunExport.Fields(shown)) facts.Add(key, value);
        facts.Write(terminal);
        terminal.Out.WriteLine();
        var settings = new FittingTable(new("setting"), new("value"));
        foreach (var (path, value) in shown.Settings) settings.Add(path, value);
        settings.Write(terminal);
        return 0;
    }
}

sealed class RunsCompareCommand : CliCommand
{
    readonly CliArgument<string[]> chosen = new("RUN", "The runs, by name or folder") { Arity = ArgumentArity.OneOrMore };

    public RunsCompareCommand() : base("compare", "Show runs side by side, and the settings in which they differ.",
        "distill runs compare resnet56-resnet20-kd-s1 resnet56-resnet20-fsecd-s1") => Takes(chosen, Runs, Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        if (given.GetValue(chosen)!.Length < 2) throw new UsageException("a comparison is of two runs or more; give another");
        using var registry = RunsOutput.Open(given, Runs);
        var comparison = registry.Compare(given.GetValue(chosen)!.Select(registry.NameOf));
        if (given.GetValue(Json))
        {
            terminal.Out.WriteLine(RunExport.ToJson(comparison));
            return 0;
        }
        RunsOutput.Table(comparison.Runs).Write(terminal);
        terminal.Out.WriteLine();
        var table = new FittingTable([new("setting"), .. comparison.Runs.Select(one => new Column(one.Name))]);
        foreach (var difference in comparison.Differences) table.Add([difference.Path, .. difference.Values.Select(value => value ?? "-")]);
        if (comparison.Differences.Count > 0) table.Write(terminal);
        else terminal.Out.WriteLine("Their settings are the same.");
        if (!comparison.SameMachine) terminal.Out.WriteLine("They ran on different machines: their speeds do not compare.");
        if (!comparison.SameVersions) terminal.Out.WriteLine("They ran with different versions.");
        return 0;
    }
}

sealed class RunsRemoveCommand : CliCommand
{
    readonly CliArgument<string[]> chosen = new("RUN", "The runs, by name or folder") { Arity = ArgumentArity.OneOrMore };

    public RunsRemoveCommand() : base("remove", "Remove runs: their folders with all checkpoints, and their entries.",
        "distill runs remove resnet56-resnet20-kd-s1") => Takes(chosen, Runs);

    public override int Run(ParseResult given, Terminal terminal)
    {
        using var registry = RunsOutput.Open(given, Runs);
        foreach (var name in given.GetValue(chosen)!.Select(registry.NameOf).Distinct().ToList())
        {
            registry.Remove(name);
            terminal.Out.WriteLine($"removed {name}");
        }
        return 0;
    }
}

sealed class RunsRebuildCommand : CliCommand
{
    public RunsRebuildCommand() : base("rebuild", "Recreate the registry from the run folders, which are the truth.",
        "distill runs rebuild", "distill runs rebuild --runs runs") => Takes(Runs);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var report = RunRegistry.Rebuild(given.GetValue(Runs)!);
        foreach (var problem in report.Problems) terminal.Error.WriteLine($"left out: {problem}");
        terminal.Out.WriteLine($"{Path.Combine(given.GetValue(Runs)!, RunRegistry.FileName)}: {report.Runs.Of("run")}");
        return report.Problems.Count == 0 ? 0 : 1;
    }
}
