using System.Text.Encodings.Web;
using System.Text.Json;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Registry;

/// <summary>JSON for other programs: names in snake_case, null for a number that is not finite.</summary>
static class Json
{
    static readonly JsonSerializerOptions options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new FiniteNumber() },
    };

    public static string Write(object value) => JsonSerializer.Serialize(value, options);
}
