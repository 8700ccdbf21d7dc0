using System.Text.Json;

namespace DistillSharp.Onnx;

/// <summary>What an ONNX file says of itself in its metadata; null for what it does not say, or not in this form.</summary>
public sealed record OnnxCard
{
    /// <summary>The network's name.</summary>
    public string? Network { get; init; }

    /// <summary>The names of the classes, in the order of the logits.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>How images are normalized.</summary>
    public Normalization? Normalization { get; init; }

    /// <summary>Height and width of the images that the network was trained on.</summary>
    public Size2? ImageSize { get; init; }

    /// <summary>To which length the shorter side of a photograph is scaled before its middle is cut out.</summary>
    public int? ShorterSide { get; init; }

    /// <summary>The data set that the network was trained on.</summary>
    public string? Dataset { get; init; }

    /// <summary>Top-1 accuracy in percent on that set's test images.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Reads the entries that the export writes.</summary>
    internal static OnnxCard Of(IReadOnlyDictionary<string, string> metadata)
    {
        var (mean, std) = (List<float>("mean"), List<float>("std"));
        return new()
        {
            Network = metadata.GetValueOrDefault("network"),
            ClassNames = List<string>("classes"),
            Normalization = mean is { Length: 3 } && std is { Length: 3 } && std.All(value => value > 0) ? new(mean, std) : null,
            ImageSize = List<int>("image_size") is [> 0 and var height, > 0 and var width] ? new(height, width) : null,
            ShorterSide = int.TryParse(metadata.GetValueOrDefault("shorter_side"), CultureInfo.InvariantCulture, out var side) && side > 0
                ? side : null,
            Dataset = metadata.GetValueOrDefault("dataset"),
            Accuracy = double.TryParse(metadata.GetValueOrDefault("accuracy"), CultureInfo.InvariantCulture, out var accuracy) ? accuracy
                : null,
        };

        // Files of other programs use the same words for other things.
        T[]? List<T>(string key)
        {
            try { return metadata.TryGetValue(key, out var text) ? JsonSerializer.Deserialize<T[]>(text) : null; }
            catch (JsonException) { return null; }
        }
    }
}
