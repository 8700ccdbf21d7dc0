namespace DistillSharp.Experiments.Recipes;

/// <summary>The settings that a recipe gives to a method or to a step of the augmentation.</summary>
static class GivenSettings
{
    /// <summary>Sets what the entries give; an entry without a value leaves the default.</summary>
    /// <param name="target">What has the settings.</param>
    /// <param name="name">What it is called in recipes.</param>
    /// <param name="entries">The values by the settings' names.</param>
    /// <param name="beside">Keys that may stand beside them, for the hint at a mistyped one.</param>
    /// <param name="within">The key that all this is the value of, for messages; null for none.</param>
    /// <returns>The names of the settings that were given.</returns>
    /// <exception cref="UsageException">There is no such setting, or it cannot have the value.</exception>
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
