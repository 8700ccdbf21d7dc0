using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace DistillSharp.Methods;

/// <summary>One setting of a method, as recipes name it.</summary>
public sealed partial class MethodSetting
{
    readonly PropertyInfo property;
    readonly SettingAttribute attribute;

    MethodSetting(PropertyInfo property)
    {
        this.property = property;
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

    /// <summary>All settings of a method, the weight last.</summary>
    public static IReadOnlyList<MethodSetting> Of(DistillationMethod method) =>
        [.. method.GetType().GetProperties()
            .Where(property => property.IsDefined(typeof(SettingAttribute)))
            .OrderBy(property => property.DeclaringType == typeof(DistillationMethod))
            .Select(property => new MethodSetting(property))];

    /// <summary>The value as recipes write it; null where the setting is left to the method.</summary>
    public string? Read(DistillationMethod method) => property.GetValue(method) switch
    {
        null => null,
        Enum value => SnakeCase(value.ToString()),
        bool value => value ? "true" : "false",
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        var value => value.ToString(),
    };

    /// <summary>Sets the value from the text of a recipe.</summary>
    /// <exception cref="UsageException">The text is no value of this setting.</exception>
    public void Write(DistillationMethod method, string text)
    {
        if (!TryParse(text, out var value))
            throw new UsageException($"{method.Name}: {Name} is '{text}'; it must be {Allowed}");
        property.SetValue(method, value);
    }

    string Bounds
    {
        get
        {
            var below = double.IsFinite(attribute.Above) ? $" above {Text(attribute.Above)}"
                : double.IsFinite(attribute.AtLeast) ? $" of at least {Text(attribute.AtLeast)}" : "";
            var above = double.IsFinite(attribute.Below) ? $" {(below.Length > 0 ? "and " : "")}below {Text(attribute.Below)}" : "";
            return below + above;
        }
    }

    static string Text(double bound) => bound.ToString(CultureInfo.InvariantCulture);

    bool Within(double number) => number > attribute.Above && number >= attribute.AtLeast && number < attribute.Below;

    bool TryParse(string text, out object? value)
    {
        if (Type.IsEnum)
        {
            var name = Enum.GetNames(Type).FirstOrDefault(name => SnakeCase(name) == text);
            value = name is null ? null : Enum.Parse(Type, name);
            return name is not null;
        }
        value = text;
        if (Type == typeof(string)) return true;
        if (Type == typeof(bool)) return Parsed(bool.TryParse(text, out var flag), flag, out value);
        if (Type == typeof(int)) return Parsed(int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var whole) && Within(whole), whole, out value);
        if (Type == typeof(long)) return Parsed(long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var big) && Within(big), big, out value);
        return Parsed(double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) && Within(real), real, out value);
    }

    static bool Parsed(bool success, object parsed, out object? value)
    {
        value = parsed;
        return success;
    }

    static string SnakeCase(string name) => Boundary().Replace(name, "_$1").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z0-9])([A-Z])")]
    private static partial Regex Boundary();
}
