using System.Text.Json;

namespace DistillSharp.Data;

/// <summary>The label of a sample in a shard: the number in <c>.cls</c>, or <c>label</c> or <c>cls</c> in <c>.json</c>.</summary>
static class ShardLabel
{
    const int MaxBytes = 1 << 20, MaxClass = 1 << 20;

    static readonly string[] keys = ["label", "cls"];

    /// <summary>Whether an entry says its sample's label, by its extension.</summary>
    public static bool IsIn(string extension, long length) => extension is "cls" or "json" && length <= MaxBytes;

    /// <summary>The label that an entry holds, or null.</summary>
    public static int? Of(string extension, byte[] content)
    {
        var label = extension == "cls" ? InText(Encoding.UTF8.GetString(content)) : InJson(content);
        return label is >= 0 and < MaxClass ? label : null;
    }

    static int? InText(string text) => int.TryParse(text.Trim(), CultureInfo.InvariantCulture, out var label) ? label : null;

    static int? InJson(byte[] content)
    {
        try
        {
            using var json = JsonDocument.Parse(content);
            if (json.RootElement.ValueKind != JsonValueKind.Object) return null;
            foreach (var key in keys)
                if (json.RootElement.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number
                    && value.TryGetInt32(out var label)) return label;
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
