using DistillSharp.Experiments.Recipes;

namespace DistillSharp.Experiments.Runs;

/// <summary>A run's name is its folder's name: short, readable, safe in a path and in a shell.</summary>
public static class RunName
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxLength = 120;

    /// <summary>
    /// The name that a run has when it is given none: <c>resnet56-resnet20-fsecd-s1</c>. Cross-entropy alone has no teacher:
    /// <c>resnet20-ce-s1</c>.
    /// </summary>
    public static string Suggest(string? teacher, string student, IEnumerable<string> methods, long seed)
    {
        string[] parts = [.. teacher is null ? [] : new[] { teacher }, student, .. methods.DefaultIfEmpty("ce"),
            "s" + seed.ToString(CultureInfo.InvariantCulture)];
        return string.Concat(string.Join('-', parts).Take(MaxLength).Select(
            (letter, at) => Allowed(letter) && (at > 0 || letter is not ('.' or '-')) ? letter : '_'));
    }

    /// <summary>The name that a recipe's run has when it is given none.</summary>
    public static string Suggest(Recipe recipe) =>
        Suggest(recipe.Teacher?.Name, recipe.Student.Network, recipe.Methods.Select(method => method.Name), recipe.Train.Seed);

    /// <summary>Refuses what cannot be a run's name.</summary>
    /// <exception cref="UsageException">It is empty or too long, holds a character not allowed, or starts with a dot or dash.</exception>
    public static void Check(string name)
    {
        if (name.Length is 0 or > MaxLength || name[0] is '.' or '-' || !name.All(Allowed))
            throw new UsageException($"'{name}' cannot be the name of a run: use 1 to {MaxLength} letters, digits, '.', '_', '+' or '-', "
                + "not starting with a dot or dash");
    }

    static bool Allowed(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+';
}
