using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Execution;

/// <summary>What a user asked to be trained, and where.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Name">The run's name; null where it is left to the recipe.</param>
/// <param name="RunsRoot">The folder of all runs.</param>
public sealed record TrainingRequest(Recipe Recipe, string? Name, string RunsRoot)
{
    /// <summary>Reads a request: what says a recipe, or the folder of a run that is to be resumed by its own.</summary>
    /// <param name="recipeOrRun">A recipe's file or name, or a run's folder.</param>
    /// <param name="overrides">Values that replace the recipe's, each as <c>path=value</c>.</param>
    /// <param name="name">The run's name; null where it is left to the recipe.</param>
    /// <param name="runsRoot">The folder of all runs; a run that is resumed has its own.</param>
    /// <param name="resume">Whether a run is to go on.</param>
    /// <param name="open">Reads a recipe by its file or name, with overrides.</param>
    /// <param name="toolkit">What the names in a run's own recipe stand for; null for what comes with the library.</param>
    /// <exception cref="UsageException">The recipe is wrong, or the folder is a run and is not to be resumed.</exception>
    public static TrainingRequest Of(string recipeOrRun, IReadOnlyList<string> overrides, string? name, string runsRoot, bool resume,
        Func<string, IReadOnlyList<string>, Recipe> open, Toolkit? toolkit = null)
    {
        if (!RunReader.IsRun(recipeOrRun)) return new(open(recipeOrRun, overrides), name, runsRoot);
        if (!resume) throw new UsageException($"{recipeOrRun} is a run, not a recipe; give --resume to go on with it");
        if (name is not null) throw new UsageException("a run keeps its name: leave --name out when resuming by the run's folder");
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(recipeOrRun));
        var recipe = Recipe.Parse(
            RunReader.Load(folder).Recipe, Path.Combine(recipeOrRun, RunFiles.Recipe), toolkit ?? Toolkit.BuiltIn, overrides);
        return new(recipe, Path.GetFileName(folder), Path.GetDirectoryName(folder)!);
    }
}
