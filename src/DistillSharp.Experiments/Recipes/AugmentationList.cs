namespace DistillSharp.Experiments.Recipes;

/// <summary>The list <c>augment</c>: steps by name, with what is not the default: <c>[ { crop: { padding: 8 } }, flip ]</c>.</summary>
static class AugmentationList
{
    const string Must = "a list such as [ { crop: { padding: 4 } }, flip ], or [] for nothing";

    public static RecipeForm<IReadOnlyList<AugmentationStep>> Form { get; } = new(Must, Read, Write);

    /// <summary>The steps as YAML: a step whose settings are the default is its name.</summary>
    public static string Write(IEnumerable<AugmentationStep> steps) => RecipeText.List(steps.Select(step =>
    {
        var settings = Setting.Of(step, step.Name);
        if (settings.Count == 0 || step == (AugmentationStep)Activator.CreateInstance(step.GetType())!) return step.Name;
        var values = string.Join(", ", settings.Select(setting => $"{setting.Name}: {setting.Read(step) ?? "null"}"));
        return $"{{ {step.Name}: {{ {values} }} }}";
    }));

    static IReadOnlyList<AugmentationStep> Read(GivenValue given)
    {
        if (given.Value.Kind != YamlKind.Sequence) throw given.Wrong();
        var steps = given.Value.Items.ConvertAll(item => ReadStep(item, given.Path, given.Known.Toolkit.Augmentations));
        try
        {
            _ = new Augmentation(steps);
            return steps;
        }
        catch (UsageException e) { throw given.Mistake($"{given.Path}: {e.Message}"); }
    }

    static AugmentationStep ReadStep(YamlValue item, string path, Registry<Func<AugmentationStep>> known)
    {
        var settings = item is { Kind: YamlKind.Mapping, Entries: [{ Value: { Kind: YamlKind.Mapping } or { IsNull: true } }] }
            ? item.Entries[0].Value : null;
        if (settings is null && item is not { Kind: YamlKind.Scalar, IsNull: false })
            throw item.Mistake($"{path} has {RecipeSection.Shown(item)}; it must be {Must}");
        var name = settings is null ? item.Text : item.Entries[0].Key;
        if (!known.Contains(name))
            throw item.Mistake(
                $"{path} has '{ShownText.Of(name)}', but there is no such augmentation{RecipeSection.HintOrList(name, known.Names)}");
        var step = known[name]();
        if (settings is { IsNull: false }) GivenSettings.Write(step, name, settings.Entries, beside: [], within: path);
        return step;
    }
}
