namespace DistillSharp.Experiments.Recipes;

/// <summary>The kinds of values that keys of recipes have.</summary>
static class RecipeForms
{
    public static RecipeForm<double> Positive { get; } = Number(number => number > 0, "a number above 0");

    public static RecipeForm<double> NotNegative { get; } = Number(number => number >= 0, "a number of at least 0");

    public static RecipeForm<bool> Flag { get; } = new("true or false",
        given => given.Value is { Kind: YamlKind.Scalar, Quoted: false, Text: var text }
            && RecipeSettings.Canonical(text) is ("true" or "false") and var answer ? answer == "true" : throw given.Wrong(),
        value => value ? "true" : "false");

    public static RecipeForm<int> Size { get; } = Int(min: 1, max: 4096);

    public static RecipeForm<Device> Device { get; } = new("cpu, cuda or cuda:N", ReadDevice, device => device.ToString());

    public static RecipeForm<long> Whole(long min, long max = long.MaxValue) => new(
        max is long.MaxValue or int.MaxValue ? $"a whole number of at least {min}" : $"a whole number from {min} to {max}",
        given => RecipeSection.IsWhole(given.Value, min, max, out var number) ? number : throw given.Wrong(), RecipeText.Number);

    public static RecipeForm<int> Int(int min, int max = int.MaxValue)
    {
        var whole = Whole(min, max);
        return new(whole.Allowed, given => (int)whole.Read(given), RecipeText.Number);
    }

    public static RecipeForm<double> Number(Func<double, bool> possible, string must) => new(must,
        given => RecipeSection.IsNumber(given.Value, out var number) && possible(number) ? number : throw given.Wrong(), RecipeText.Number);

    /// <summary>A list of at least one number.</summary>
    public static RecipeForm<IReadOnlyList<float>> Numbers(Func<double, bool> possible, string must) => new(must,
        given => given.Value is not { Kind: YamlKind.Sequence, Items.Count: > 0 } ? throw given.Wrong()
            : [.. given.Value.Items.Select(item => RecipeSection.IsNumber(item, out var number) && possible(number) ? (float)number
                : throw (given with { Value = item }).Wrong())],
        values => RecipeText.List(values.Select(RecipeText.Number)));

    /// <summary>A text of some kind, as in "a file".</summary>
    public static RecipeForm<string?> Text(string must) => new(must, ReadText, text => RecipeText.Quote(text!));

    /// <summary>The name of something that the toolkit has.</summary>
    public static RecipeForm<string?> Name<T>(Func<Toolkit, Registry<T>> known) => new(
        $"the name of a {known(Toolkit.BuiltIn).Kind}",
        given =>
        {
            var registry = known(given.Known.Toolkit);
            var name = ReadText(given);
            return registry.Contains(name) ? name : throw given.Mistake($"{given.Path} is '{ShownText.Of(name)}', "
                + $"but there is no such {registry.Kind}{RecipeSection.HintOrList(name, registry.Names)}");
        },
        name => RecipeText.Quote(name!));

    /// <summary>One of some words, each of which stands for a value.</summary>
    public static RecipeForm<T> Word<T>(params (string Word, T Value)[] words) where T : notnull => new(
        string.Join(" or ", words.Select(entry => entry.Word)),
        given => given.Value.Kind == YamlKind.Scalar && Array.FindIndex(words, entry => entry.Word == given.Value.Text) is >= 0 and var at
            ? words[at].Value : throw given.Wrong(),
        value => words.First(entry => entry.Value.Equals(value)).Word);

    /// <summary>One of an enumeration's names in lower case.</summary>
    public static RecipeForm<T> Word<T>() where T : struct, Enum =>
        Word([.. Enum.GetValues<T>().Select(value => (value.ToString().ToLowerInvariant(), value))]);

    public static RecipeForm<T?> OrNone<T>(this RecipeForm<T> form) where T : struct =>
        new(form.Allowed, given => form.Read(given), value => form.Write(value!.Value));

    /// <summary>The same, or nothing, for values that are objects.</summary>
    public static RecipeForm<T?> OrAbsent<T>(this RecipeForm<T> form) where T : class =>
        new(form.Allowed, given => form.Read(given), value => form.Write(value!));

    public static RecipeForm<IReadOnlyList<float>> Mean { get; } =
        Numbers(mean => mean is >= 0 and <= 1, "a list of numbers from 0 to 1, one for each channel");

    public static RecipeForm<IReadOnlyList<float>> Deviation { get; } =
        Numbers(std => std is > 0 and <= 1 && (float)std > 0, "a list of numbers above 0 and at most 1, one for each channel");

    static string ReadText(GivenValue given) =>
        given.Value.Kind == YamlKind.Scalar && given.Value.Text.Length > 0 && !given.Value.Text.Any(char.IsControl) ? given.Value.Text
            : throw given.Wrong();

    static Device ReadDevice(GivenValue given)
    {
        var text = ReadText(given);
        try
        {
            var device = Torch.Device.Parse(text);
            return device.ToString() == text || text == "cuda" ? device : throw given.Wrong();
        }
        catch (FormatException) { throw given.Wrong(); }
    }
}
