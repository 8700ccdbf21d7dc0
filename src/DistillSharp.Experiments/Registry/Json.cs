using System.Text.Encodings.Web;
using System.Text.Json;

namespace DistillSharp.Experiments.Registry;

/// <summary>JSON written by hand, where the names are data.</summary>
static class Json
{
    public static string Write(Action<Utf8JsonWriter> content)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            content(json);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    /// <summary>A value under a name; null for a number that is not finite.</summary>
    public static void Write(Utf8JsonWriter json, string name, object? value)
    {
        json.WritePropertyName(name);
        JsonSerializer.Serialize(json, value is double number && !double.IsFinite(number) ? null : value);
    }
}
