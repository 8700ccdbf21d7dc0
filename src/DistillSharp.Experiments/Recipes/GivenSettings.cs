namespace DistillSharp.Experiments.Recipes;

/// <summary>The settings that a recipe gives to a method or to a step of the augmentation.</summary>
static class GivenSettings
{
    /// <summary>Sets what the entries give, and names it; an entry without a value leaves the default.</summary>
    /// <remarks>A mistake's message names the key that all this stands within, and hints also at keys that may stand beside.</remarks>
    public static HashSet<string> Write(
        object target, string name, IEnumerable<KeyValuePair<string, YamlValue>> entries, string[] beside, string? within = null)
    {
        var settings = Setting.Of(target, name).ToDictionary(setting => setting.Name);
        var given = new HashSet<string>();
        foreach (var (key, value) in entries)
        {
            if (!settings.TryGetValue(key, out var setting))
                throw value.Mistake($"{name} has no setting '{ShownText.Of(key)}'"
                    + (settings.Count == 0 ? "" : RecipeSection.HintOrList(key, [.. beside, .. settings.Keys])));
            if (value.IsNull) continue;
            if (value.Kind != YamlKind.Scalar || value.Text.Any(char.IsControl))
                throw value.Mistake($"{name}.{key} is {RecipeSection.Shown(value)}; it must be {setting.Allowed}");
            try
            {
                setting.Write(target, value.Text);
                given.Add(key);
            }
            catch (UsageException e) { throw value.Mistake($"{(within is null ? "" : $"{within}: ")}{ShownText.Of(e.Message)}", e); }
        }
        return given;
    }
}
