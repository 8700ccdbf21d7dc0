using DistillSharp.Methods;

namespace DistillSharp.Experiments.Recipes;

/// <summary>One entry of the list <c>methods</c>: a distillation method and its settings.</summary>
public sealed class MethodSection
{
    const string WeightSetting = "weight";

    /// <summary>The line of docs/recipes.md for the list.</summary>
    internal const string PageLine = "| `methods` | the methods with their settings (`distill methods`), each once; a bare name stands for "
        + "one with its defaults | a list, such as `[ { name: fsecd, policy: instance }, kd ]` | `[]`: cross-entropy alone |";

    /// <summary>What stands beside a value that nobody set and that is another for other pairs.</summary>
    internal const string OfPair = "the published value for this pair and data";

    readonly (Setting Setting, string? Value, bool OfPair)[] settings;
    readonly HashSet<string> given;
    readonly Func<DistillationMethod> make;
    readonly DistillationMethod method;

    MethodSection(string name, Func<DistillationMethod> make, DistillationMethod method, HashSet<string> given)
    {
        (Name, this.make, this.method, this.given) = (name, make, method, given);
        settings =
            [.. Setting.Of(method, method.Name).Select(setting => given.Contains(setting.Name) ? (setting, setting.Read(method), false)
            : setting.Read(method) is { } own ? (setting, own, setting.Name == WeightSetting && method.WeightsDependOnPair)
            : (setting, method.Published(setting.Name) is { } published ? RecipeText.Number(published) : null, true))];
    }

    /// <summary>The method, one of <see cref="Toolkit.Methods"/>.</summary>
    public string Name { get; }

    /// <summary>Every setting's value by its name in recipes: given, the method's own, or the pair's; null for none.</summary>
    public IReadOnlyDictionary<string, string?> Settings => settings.ToDictionary(pair => pair.Setting.Name, pair => pair.Value);

    /// <summary>The weight that cross-entropy has beside this method where the recipe does not say.</summary>
    public double CrossEntropyWeight => method.CrossEntropyWeight;

    /// <summary>Whether that depends on the pair, as for KD (0.1, for ImageNet 0.5).</summary>
    internal bool CrossEntropyOfPair => method.WeightsDependOnPair;

    internal bool NeedsTeacher => method.TeacherFeatures is not null;

    internal bool NeedsTeacherFeatures => method.TeacherFeatures is not (null or Features.Logits);

    internal bool NeedsOneLabel => method.NeedsOneLabel;

    internal bool NeedsSecondView => method.NeedsSecondView;

    /// <summary>Makes the method with the settings that the recipe gives; the others are the method's own.</summary>
    public DistillationMethod Create()
    {
        var method = make();
        foreach (var (setting, value, _) in settings)
            if (given.Contains(setting.Name)) setting.Write(method, value!);
        return method;
    }

    /// <summary>The list of methods. Cross-entropy, which is always there, may be named alone.</summary>
    internal static IReadOnlyList<MethodSection> ReadAll(YamlValue value, Registry<Func<DistillationMethod>> known, PairKind pair)
    {
        if (value.Kind != YamlKind.Sequence)
            throw value.Mistake($"methods is {RecipeSection.Shown(value)}; it must be a list, such as [ {{ name: fsecd }} ]");
        var methods = new List<MethodSection>();
        for (var i = 0; i < value.Items.Count; i++)
        {
            if (Read(value.Items[i], $"methods[{i}]", known, pair) is not { } method) continue;
            if (methods.Exists(other => other.Name == method.Name))
                throw value.Items[i].Mistake($"methods lists {method.Name} twice; each method serves once");
            methods.Add(method);
        }
        return methods;
    }

    internal void Write(RecipeText text, bool remarks)
    {
        text.Item();
        text.Text("name", Name);
        foreach (var (setting, value, ofPair) in settings)
            if (setting.Type == typeof(string)) text.Text(setting.Name, value);
            else text.Raw(setting.Name, value ?? "null", remarks && ofPair && value is not null ? OfPair : null);
    }

    static MethodSection? Read(YamlValue item, string path, Registry<Func<DistillationMethod>> known, PairKind pair)
    {
        var name = (item.Kind == YamlKind.Mapping ? item["name"] : item) is { IsNull: false } given ? given
            : throw item.Mistake($"{path} has no name; the methods are {string.Join(", ", known.Names)}");
        if (name.Kind != YamlKind.Scalar)
            throw name.Mistake($"{path} is {RecipeSection.Shown(name)}; it must be a method, such as {{ name: fsecd }}");
        if (!known.Contains(name.Text))
            throw name.Mistake($"{path} is {RecipeSection.Shown(name)}, but there is no such method"
                + RecipeSection.HintOrList(name.Text, known.Names));
        if (name.Text == "ce")
            return item.Entries.Count <= 1 ? null : throw item.Mistake(
                $"cross-entropy is always there; its weight stands in ce: {{ weight: ... }}, not in methods");

        var method = known.Create(name.Text);
        var chosen = GivenSettings.Write(method, name.Text, item.Entries.Where(entry => entry.Key != "name"), beside: ["name"]);
        method.Follow(pair);
        return new(name.Text, known[name.Text], method, chosen);
    }
}
