using System.Text;
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

    public static void Write(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case null: json.WriteNull(name); break;
            case double d when !double.IsFinite(d): json.WriteNull(name); break;
            case double d: json.WriteNumber(name, d); break;
            case long l: json.WriteNumber(name, l); break;
            case int i: json.WriteNumber(name, i); break;
            case bool b: json.WriteBoolean(name, b); break;
            case string s: json.WriteString(name, s); break;
            default: throw new ArgumentException($"no JSON for a {value.GetType().Name}", nameof(value));
        }
    }
}
