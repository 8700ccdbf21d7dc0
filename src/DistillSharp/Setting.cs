using System.Reflection;
using System.Text.RegularExpressions;

namespace DistillSharp;

/// <summary>One setting of something that recipes name: a property marked with <see cref="SettingAttribute"/>.</summary>
public sealed partial class Setting
{
    readonly string owner;
    readonly PropertyInfo property;
    readonly SettingAttribute attribute;

    Setting(string owner, PropertyInfo property)
    {
        (this.owner, this.property) = (owner, property);
        Name = SnakeCase(property.Name);
        attribute = property.GetCustomAttribute<SettingAttribute>()!;
        Type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
    }

    /// <summary>The name in recipes, for example <c>distance_weight</c>.</summary>
    public string Name { get; }

    /// <summary>What the setting does.</summary>
    public string Description => attribute.Description;

    /// <summary>The type of its values.</summary>
    public Type Type { get; }

    /// <summary>What values it takes, in words.</summary>
    public string Allowed => Type switch
    {
        _ when Type.IsEnum => string.Join(" or ", Enum.GetNames(Type).Select(SnakeCase)),
        _ when Type == typeof(bool) => "true or false",
        _ when Type == typeof(int) || Type == typeof(long) => "a whole number" + Bounds,
        _ when Type == typeof(double) => "a number" + Bounds,
        _ => "a text",
    };

    /// <summary>All settings of a method or an augmentation step: its own first, then those that all of its kind have.</summary>
    /// <param name="owner">The method or step.</param>
    /// <param name="name">What to call it in messages.</param>
    public static IReadOnlyList<Setting> Of(object owner, string name) =>
        [.. owner.GetType().GetProperties()
            .Where(property => property.IsDefined(typeof(SettingAttribute)))
            .OrderBy(property => property.DeclaringType != owner.GetType())
            .Select(property => new Setting(name, property))];

    /// <summary>The value as recipes write it; null where the setting is left open.</summary>
    public string? Read(object owner) => property.GetValue(owner) switch
    {
        null => null,
        Enum value => SnakeCase(value.ToString()),
        bool value => value ? "true" : "false",
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        var value => value.ToString(),
    };

    /// <summary>Sets the value from the text of a recipe.</summary>
    /// <exception cref="UsageException">The text is no value of this setting.</exception>
    public void Write(object to, string text) =>
        property.SetValue(to, Parsed(text) ?? throw new UsageException($"{owner}: {Name} is '{text}'; it must be {Allowed}"));

    string Bounds
    {
        get
        {
            var below = double.IsFinite(attribute.Above) ? $" above {Text(attribute.Above)}"
                : double.IsFinite(attribute.AtLeast) ? $" of at least {Text(attribute.AtLeast)}" : "";
            var above = double.IsFinite(attribute.Below) ? $"below {Text(attribute.Below)}"
                : double.IsFinite(attribute.AtMost) ? $"at most {Text(attribute.AtMost)}" : "";
            return below + (above.Length == 0 ? "" : below.Length > 0 ? $" and {above}" : $" {above}");
        }
    }

    static string Text(double bound) => bound.ToString(CultureInfo.InvariantCulture);

    bool Within(double number) =>
        number > attribute.Above && number >= attribute.AtLeast && number < attribute.Below && number <= attribute.AtMost;

    // Null where the text is no value of the type, or outside the bounds.
    object? Parsed(string text)
    {
        if (Type.IsEnum)
            return Enum.GetNames(Type).FirstOrDefault(name => SnakeCase(name) == text) is { } name ? Enum.Parse(Type, name) : null;
        if (Type == typeof(string)) return text;
        if (Type == typeof(bool)) return bool.TryParse(text, out var flag) ? flag : null;
        if (Type == typeof(int)) return int.TryParse(text, CultureInfo.InvariantCulture, out var whole) && Within(whole) ? whole : null;
        if (Type == typeof(long)) return long.TryParse(text, CultureInfo.InvariantCulture, out var big) && Within(big) ? big : null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real)
            && Within(real) ? real : null;
    }

    static string SnakeCase(string name) => Boundary().Replace(name, "_$1").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z0-9])([A-Z])")]
    private static partial Regex Boundary();
}
