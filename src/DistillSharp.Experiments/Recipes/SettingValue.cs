namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// A value of a recipe in one spelling: a number, a list, an answer, a word, or none. Two are equal when they mean the same, however
/// they were written (<c>5e-4</c> and <c>0.0005</c>, <c>[crop,flip]</c> and <c>[crop, flip]</c>).
/// </summary>
readonly record struct SettingValue(string Text)
{
    /// <summary>No value: a key that is left out.</summary>
    public static SettingValue None { get; } = new("");

    public bool IsNone => Text.Length == 0;

    /// <summary>A value as it stands in <see cref="RecipeSettings"/>.</summary>
    public static SettingValue Read(string text) => text is ['[', .. var inside, ']']
        ? List(inside.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        : new(RecipeSettings.Canonical(text));

    public static implicit operator SettingValue(double number) => new(RecipeText.Number(number));

    public static implicit operator SettingValue(bool answer) => new(answer ? "true" : "false");

    public static implicit operator SettingValue(string word) => new(word);

    public static SettingValue List(IEnumerable<string> values) => new(RecipeText.List(values.Select(RecipeSettings.Canonical)));

    /// <summary>The value as a recipe has it; <c>none</c> for none.</summary>
    public override string ToString() => IsNone ? "none" : Text;
}
