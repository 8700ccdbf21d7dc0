namespace DistillSharp.Cli.Commands;

/// <summary>Options that several commands share, and how their texts are read.</summary>
static class CommonOptions
{
    public static Option<string[]> Set() => new("--set")
    {
        Description = "Replace a value of the recipe: path=value, for example train.epochs=2 (may be given several times)",
        HelpName = "path=value",
        DefaultValueFactory = _ => [],
    };

    public static Option<string> Runs() => new("--runs")
    {
        Description = "The folder of all runs",
        DefaultValueFactory = _ => "runs",
    };
}
