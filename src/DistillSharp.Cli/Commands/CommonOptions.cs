namespace DistillSharp.Cli.Commands;

/// <summary>Options that several commands share, and how their texts are read.</summary>
static class CommonOptions
{
    public static CliOption<string[]> Set() => new(
        "--set", "Replace a value of the recipe: path=value, for example train.epochs=2 (may be given several times)", usual: [],
        help: "path=value");

    public static CliOption<string> Runs() => new("--runs", "The folder of all runs", usual: "runs");
}
