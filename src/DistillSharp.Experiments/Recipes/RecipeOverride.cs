using System.Text.RegularExpressions;

namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// One value given beside the recipe, as <c>--set</c> takes it: <c>train.epochs=2</c>, <c>methods[0].weight=3</c>,
/// <c>methods.fsecd.weight=3</c>, <c>data.mean=[0.5, 0.4, 0.3]</c>. The value is YAML; <c>null</c> or nothing stands for the default.
/// </summary>
static partial class RecipeOverride
{
    const int LongestText = 10_000;

    /// <summary>Writes the value into a recipe's tree.</summary>
    /// <exception cref="UsageException">The text is no <c>path=value</c>, or the path leads nowhere.</exception>
    public static void Apply(YamlValue recipe, string text)
    {
        var option = $"--set {ShownText.Of(text)}";
        var equals = text.IndexOf('=');
        if (equals <= 0 || text.Length > LongestText || !Path().IsMatch(text.AsSpan(0, equals)))
            throw new UsageException($"{option}: this is no path=value, such as train.epochs=2 or methods[0].weight=3");
        var place = new YamlPlace(option, 0);
        var steps = Step().Matches(text[..equals]).Select(match => match.Value.TrimStart('.').Trim('[', ']')).ToArray();
        var value = Value(text[(equals + 1)..], place);

        var at = recipe;
        var path = "";
        for (var i = 0; i < steps.Length; i++)
        {
            var last = i == steps.Length - 1;
            if (at.Kind == YamlKind.Sequence)
            {
                var index = Index(at, steps[i], path, option);
                at.Items[index] = last ? value : Named(at.Items[index]);
                at = at.Items[index];
                path += $"[{index}]";
            }
            else if (at.Kind == YamlKind.Scalar)
                throw new UsageException($"{option}: {path} is '{ShownText.Of(at.Text)}', a single value that has no '{steps[i]}'");
            else
            {
                if (last) at.Set(steps[i], value);
                else if (at[steps[i]] is null or { IsNull: true }) at.Set(steps[i], new(YamlKind.Mapping, "", place));
                at = at[steps[i]]!;
                path = path.Length == 0 ? steps[i] : $"{path}.{steps[i]}";
            }
        }
    }

    static YamlValue Value(string text, YamlPlace place)
    {
        if (string.IsNullOrWhiteSpace(text)) return YamlValue.Null(place);
        // The document is wrapped so that "nothing" and an empty mapping stay two things.
        var document = YamlValue.Parse($"[\n{text}\n]", place.Source, lines: false);
        return document is { Kind: YamlKind.Sequence, Items: [var only] } ? only : throw new UsageException(
            $"{place}: the value is not one value of YAML; put a list into [ ] and a text with ',' or ':' into quotes");
    }

    // In a list of methods, a bare name stands for a method with default settings.
    static YamlValue Named(YamlValue item)
    {
        if (item.Kind != YamlKind.Scalar || item.IsNull) return item;
        var mapping = new YamlValue(YamlKind.Mapping, "", item.Place);
        mapping.Set("name", item);
        return mapping;
    }

    static int Index(YamlValue sequence, string step, string path, string option)
    {
        if (int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < sequence.Items.Count)
            return index;
        // A method by its name, a teacher by its network.
        var names =
            sequence.Items.Select(item => (item.Kind == YamlKind.Mapping ? item["name"] ?? item["network"] : item)?.Text ?? "").ToList();
        if (names.IndexOf(step) is >= 0 and var named) return named;
        throw new UsageException(sequence.Items.Count == 0
            ? $"{option}: {path} is an empty list; give it whole, as {path}=[...]"
            : $"{option}: {path} has no '{step}'; "
                + $"it holds {string.Join(", ", names.Select((name, i) => $"[{i}] {ShownText.Of(name)}"))}{Nearest.Hint(step, names)}");
    }

    [GeneratedRegex(@"^[^.\[\]=\s]+(\.[^.\[\]=\s]+|\[[0-9]+\])*$", RegexOptions.NonBacktracking)]
    private static partial Regex Path();

    [GeneratedRegex(@"\.?[^.\[\]]+|\[[0-9]+\]", RegexOptions.NonBacktracking)]
    private static partial Regex Step();
}
