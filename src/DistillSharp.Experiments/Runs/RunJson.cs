using System.Text.Json;
using System.Text.Json.Serialization;

namespace DistillSharp.Experiments.Runs;

/// <summary>The JSON of the run folder, generated at build time so that listing runs starts quickly.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true, WriteIndented = false,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(FiniteNumber)])]
[JsonSerializable(typeof(RunManifest))]
[JsonSerializable(typeof(EpochMetrics))]
[JsonSerializable(typeof(Dictionary<string, double>))]
sealed partial class RunJson : JsonSerializerContext
{
    /// <summary>The same, indented: <c>run.json</c> is read by people too.</summary>
    public static RunJson Indented => field ??= new(new JsonSerializerOptions(Default.Options) { WriteIndented = true });
}

/// <summary>JSON knows no NaN and no infinity: such a number is written as null, and null read as NaN.</summary>
sealed class FiniteNumber : JsonConverter<double>
{
    public override bool HandleNull => true;

    public override double Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value)) writer.WriteNumberValue(value);
        else writer.WriteNullValue();
    }
}
