namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// A value of a recipe as what it is: a number, a list of numbers, an answer, a word, or none. Two are equal when they mean the
/// same, however they are written (<c>5e-4</c> and <c>0.0005</c>, <c>[crop,flip]</c> and <c>[crop, flip]</c>).
/// </summary>
readonly struct SettingValue : IEquatable<SettingValue>
{
    readonly string text;
    readonly double[]? numbers;
    readonly string[]? words;

    SettingValue(string text)
    {
        this.text = text;
        if (Number(text) is { } number) numbers = [number];
        else if (text is ['[', .. var inside, ']'])
        {
            words = inside.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            var read = words.Select(Number).ToArray();
            if (read.All(value => value is not null)) numbers = [.. read.Select(value => value!.Value)];
        }
    }

    /// <summary>No value: a key that is left out.</summary>
    public static SettingValue None { get; } = new("");

    public bool IsNone => text.Length == 0;

    /// <summary>A value as it stands in <see cref="RecipeSettings"/>.</summary>
    public static SettingValue Read(string text) => new(RecipeSettings.Canonical(text));

    public static implicit operator SettingValue(double number) => new(Text(number));

    public static implicit operator SettingValue(bool answer) => new(answer ? "true" : "false");

    public static implicit operator SettingValue(string word) => new(word);

    public static SettingValue List(IEnumerable<double> numbers) => new($"[{string.Join(", ", numbers.Select(Text))}]");

    public static SettingValue List(IEnumerable<string> words) => new($"[{string.Join(", ", words)}]");

    public bool Equals(SettingValue other) => (numbers, other.numbers) switch
    {
        ({ } ours, { } theirs) => words is null == other.words is null && ours.AsSpan().SequenceEqual(theirs),
        (null, null) => words is { } ours && other.words is { } theirs ? ours.AsSpan().SequenceEqual(theirs) : text == other.text,
        _ => false,
    };

    public override bool Equals(object? other) => other is SettingValue value && Equals(value);

    public override int GetHashCode() => numbers is [var first, ..] ? first.GetHashCode() : words is [var word, ..] ? word.GetHashCode()
        : words is null ? text.GetHashCode() : 0;

    /// <summary>The value as a recipe has it; <c>none</c> for none.</summary>
    public override string ToString() => IsNone ? "none" : text;

    static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
