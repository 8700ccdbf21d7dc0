using System.Text.Json;
using DistillSharp.Data;
using DistillSharp.Extending;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Models;

namespace DistillSharp.Interop;

/// <summary>
/// A trained network and all that is needed to use it: safetensors with the weights under their state names, and in the
/// header what network it is, its classes, and how its images are normalized.
/// </summary>
public sealed record StudentFile
{
    /// <summary>Its name in a run folder.</summary>
    public const string FileName = "student.safetensors";

    /// <summary>The name in a run folder of the student with the moving average of its weights.</summary>
    public const string AverageFileName = "student-average.safetensors";

    /// <summary>The network's name.</summary>
    public required string Network { get; init; }

    /// <summary>The name of each class.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>The data set it was trained on.</summary>
    public required string Dataset { get; init; }

    /// <summary>The mean of each channel, in 0..1.</summary>
    public required IReadOnlyList<float> Mean { get; init; }

    /// <summary>The standard deviation of each channel.</summary>
    public required IReadOnlyList<float> Std { get; init; }

    /// <summary>Height of the images.</summary>
    public required int Height { get; init; }

    /// <summary>Width of the images.</summary>
    public required int Width { get; init; }

    /// <summary>Top-1 accuracy on the test set in percent; null when it was not measured.</summary>
    public double? Acc1 { get; init; }

    /// <summary>Writes a network: whole, or not at all.</summary>
    /// <exception cref="UserException">The file cannot be written.</exception>
    public static void Write(string path, Classifier network, Dataset data, double? acc1)
    {
        var metadata = new Dictionary<string, string>
        {
            ["distillsharp.network"] = network.Name,
            ["distillsharp.classes"] = JsonSerializer.Serialize(data.ClassNames),
            ["distillsharp.dataset"] = data.Name,
            ["distillsharp.mean"] = JsonSerializer.Serialize(data.Mean),
            ["distillsharp.std"] = JsonSerializer.Serialize(data.Std),
            ["distillsharp.size"] = JsonSerializer.Serialize(new[] { data.Train.Height, data.Train.Width }),
        };
        if (acc1 is { } accuracy) metadata["distillsharp.acc1"] = accuracy.ToString("R", CultureInfo.InvariantCulture);
        if (network.TrainedRanges is { } ranges) metadata["distillsharp.ranges"] = JsonSerializer.Serialize(ranges);
        SafeTensorsFile.Write(path, network.StoredState(), metadata);
    }

    /// <summary>Reads a network, in evaluation mode, and what belongs to it.</summary>
    /// <param name="path">The file, or a run folder that holds one.</param>
    /// <param name="toolkit">The networks that there are; null for those that come with the library.</param>
    /// <exception cref="UserException">There is no such file, it is damaged, or it was not written by a run.</exception>
    public static (Classifier Network, StudentFile Description) Load(string path, Toolkit? toolkit = null)
    {
        if (Directory.Exists(path))
        {
            var inside = Path.Combine(path, FileName);
            if (!File.Exists(inside))
                throw new UserException($"{path}: this run has no {FileName}; a run writes it when its last epoch ends");
            path = inside;
        }
        else if (!File.Exists(path))
            throw new UserException($"'{path}' is neither a run's folder nor a file; a run's folder is where it was written, such as "
                + "runs/NAME");
        var content = SafeTensorsFile.Read(path);
        var description = Describe(content.Metadata, path);
        using var unset = Initialize.Skip();
        return (toolkit ?? Toolkit.BuiltIn).Networks.Create(description.Network, description.ClassNames.Count).OrDispose(network =>
        {
            network.LoadState(content.Tensors, path);
            network.TrainedRanges = Ranges(content.Metadata, path);
            network.Train(false);
            return (network, description);
        });
    }

    // Only of a student that was trained as it computes in whole numbers.
    static TrainedRange[]? Ranges(IReadOnlyDictionary<string, string> metadata, string path)
    {
        try
        {
            return metadata.TryGetValue("distillsharp.ranges", out var text) ? JsonSerializer.Deserialize<TrainedRange[]>(text) : null;
        }
        catch (JsonException error)
        {
            throw new UserException($"{path}: the ranges of its activations cannot be read: {error.Message}", error);
        }
    }

    static StudentFile Describe(IReadOnlyDictionary<string, string> metadata, string path)
    {
        try
        {
            var size = Value<int[]>("size");
            return new()
            {
                Network = Text("network"), ClassNames = Value<string[]>("classes"), Dataset = Text("dataset"),
                Mean = Value<float[]>("mean"), Std = Value<float[]>("std"), Height = size[0], Width = size[1],
                Acc1 = metadata.ContainsKey("distillsharp.acc1") ? Value<double>("acc1") : null,
            };
        }
        catch (Exception error) when (error is JsonException or IndexOutOfRangeException)
        {
            throw new UserException($"{path}: what this file says of its network cannot be read: {error.Message}", error);
        }

        string Text(string key) => metadata.TryGetValue($"distillsharp.{key}", out var text) ? text
            : throw new UserException($"{path}: this file was not written by a run of distill (it says nothing of its {key}); name the "
                + "network, and give the file as its weights, instead");

        T Value<T>(string key) => JsonSerializer.Deserialize<T>(Text(key)) ?? throw new JsonException($"{key} is null");
    }
}
