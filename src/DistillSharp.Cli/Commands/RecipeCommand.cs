using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Cli.Commands;

sealed class RecipeCommand() : CliGroup("recipe", "Show and check recipes: files, and those of the paper's tables by name.",
    new RecipeShowCommand(), new RecipeCheckCommand(), new RecipeListCommand());

sealed class RecipeShowCommand : CliCommand
{
    readonly Argument<string> recipe = RecipeArgument.Make();

    public RecipeShowCommand() : base("show", "Print a whole recipe, every default written out.",
        "distill recipe show table3/resnet56-resnet20/fsecd",
        "distill recipe show recipes/cifar100-resnet56-resnet20-kd.yaml --set train.epochs=24") => Takes(recipe, Set, Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var shown = PaperRecipes.Open(given.GetValue(recipe)!, Toolkit, given.GetValue(Set) ?? []);
        foreach (var warning in shown.Warnings) terminal.Error.WriteLine($"warning: {warning}");
        var text = shown.Resolve();
        if (given.GetValue(Json))
            terminal.Json(new { run = RunName.Suggest(shown), digest = shown.Digest, settings = RecipeSettings.Of(text), yaml = text });
        else terminal.Out.Write(text);
        return 0;
    }
}

sealed class RecipeCheckCommand : CliCommand
{
    readonly Argument<string> recipe = RecipeArgument.Make();

    public RecipeCheckCommand() : base(
        "check", "Check a recipe, that the files it names are there, and that its weights fit; train nothing.",
        "distill recipe check recipes/cifar100-resnet56-resnet20-fsecd.yaml --set data.root=/data") => Takes(recipe, Set);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var source = given.GetValue(recipe)!;
        var checkedRecipe = PaperRecipes.Open(source, Toolkit, given.GetValue(Set) ?? []);
        foreach (var warning in checkedRecipe.Warnings) terminal.Error.WriteLine($"warning: {warning}");
        checkedRecipe.CheckFiles();
        checkedRecipe.CheckWeights(terminal.Error.WriteLine);
        terminal.Out.WriteLine($"{source}: {Describe(checkedRecipe)}; everything it names is there");
        return 0;
    }

    static string Describe(Recipe recipe)
    {
        var methods = string.Join(" and ", recipe.Methods.Select(method => method.Name));
        var from = recipe.Teacher is { } teacher
            ? $" from {(teacher.IsAverage ? "its own average" : teacher.Name)} by {methods}" : " from the labels alone";
        return $"{recipe.Student.Network} learns{from}, on {recipe.Data.Set}, {recipe.Train.Epochs} "
            + $"epoch{(recipe.Train.Epochs == 1 ? "" : "s")} in batches of {recipe.Data.Batch}";
    }
}

sealed class RecipeListCommand : CliCommand
{
    public RecipeListCommand()
        : base("list", "List the recipes of the paper's tables and of the teachers they need.", "distill recipe list") => Takes(Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        string[] names = [.. PaperRecipes.Names, .. PaperRecipes.Teachers];
        if (given.GetValue(Json)) terminal.Json(names);
        else
            foreach (var name in names) terminal.Out.WriteLine(name);
        return 0;
    }
}

static class RecipeArgument
{
    public static CliArgument<string> Make() => new("RECIPE", "A recipe's file, or a name that 'distill recipe list' prints");
}
