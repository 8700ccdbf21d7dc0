using DistillSharp.Data;
using DistillSharp.Extending;
using DistillSharp.Models;

namespace DistillSharp.Interop;

/// <summary>Where a network comes from: a finished run, or a name and a file of weights with what is known about its images.</summary>
public sealed record NetworkSource
{
    /// <summary>The networks and data sets that there are.</summary>
    public Toolkit Toolkit { get; init; } = Toolkit.BuiltIn;

    /// <summary>A run's folder, or the student.safetensors in it.</summary>
    public string? Run { get; init; }

    /// <summary>The network's name, instead of a run.</summary>
    public string? Model { get; init; }

    /// <summary>The network's weights: a PyTorch state dict or safetensors.</summary>
    public string? Weights { get; init; }

    /// <summary>The data set that the weights were trained on, for its normalization.</summary>
    public string? Dataset { get; init; }

    /// <summary>The mean of each channel, instead of the data set's.</summary>
    public IReadOnlyList<float>? Mean { get; init; }

    /// <summary>The standard deviation of each channel, instead of the data set's.</summary>
    public IReadOnlyList<float>? Std { get; init; }

    /// <summary>Is told what was found in the file of weights beside what was taken, a line each.</summary>
    public Action<string>? Said { get; init; }

    /// <summary>Loads the network, in evaluation mode.</summary>
    /// <exception cref="UsageException">What was given is too little, or contradicts itself.</exception>
    /// <exception cref="UserException">A file is missing, damaged, or does not fit the network.</exception>
    public LoadedNetwork Load()
    {
        if (Run is not null && (Model ?? Weights) is not null)
            throw new UsageException("give either a run or a network's name and weights, not both");
        if (Run is null && (Model is null || Weights is null))
            throw new UsageException("give a run's folder, or a network's name and the file of its weights");
        if (Mean is null != Std is null)
            throw new UsageException("give both the mean and the standard deviation (std) of the channels, or neither");
        var set = Dataset is null ? null : Toolkit.Datasets[Dataset];
        if (Run is not null)
        {
            var (network, description) = StudentFile.Load(Run, Toolkit);
            return new(network)
            {
                ClassNames = description.ClassNames, Dataset = description.Dataset, Set = SetOf(description.Dataset),
                Acc1 = description.Acc1, Image = new(description.Height, description.Width),
                Normalization = Mean is null ? new(description.Mean, description.Std) : new(Mean, Std!),
            };
        }
        var loaded = Read(Model!, Weights!);
        return new(loaded)
        {
            ClassNames = set?.ClassNames is { } names && names.Count == loaded.Classes ? names : null, Dataset = Dataset, Set = set,
            Image = loaded.Input.Natural, Normalization = Mean is not null ? new(Mean, Std!) : set is null ? null : new(set.Mean, set.Std),
        };
    }

    // A run may have been made by a program that knew more data sets.
    DatasetDescription? SetOf(string name) => Toolkit.Datasets.Contains(name) ? Toolkit.Datasets[name] : null;

    Classifier Read(string model, string file)
    {
        string[] classifiers;
        using var unset = Initialize.Skip();
        using (var probe = Toolkit.Networks.Create(model, NetworkMatch.UnlikelyClasses))
        {
            var own = probe.State().Last(entry => entry.Tensor.Dimensions > 0 && entry.Tensor.Size(0) == NetworkMatch.UnlikelyClasses).Name;
            classifiers = [own, .. probe.OtherNames.Select(names => names.Of(own))];
        }
        var known = classifiers.Select(name => Models.Weights.FirstSize(file, name)).FirstOrDefault(size => size is not null);
        if (known is not (> 0 and < int.MaxValue and var classes))
            throw new UserException(
                $"{file}: these weights do not fit {model}: they hold no {classifiers[0]}, by which the number of classes is known");
        return Toolkit.Networks.Create(model, (int)classes).OrDispose(network =>
        {
            network.LoadWeights(file, out var report);
            foreach (var line in report.Lines) Said?.Invoke($"{file}: {line}");
            network.Train(false);
            return network;
        });
    }
}

/// <summary>A network with what is known about its images and classes. It owns the network.</summary>
/// <param name="Network">The network, in evaluation mode.</param>
public sealed record LoadedNetwork(Classifier Network) : IDisposable
{
    /// <summary>The names of the classes, where they are known.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>The data set it was trained on, where it is known.</summary>
    public string? Dataset { get; init; }

    /// <summary>What is known of that data set.</summary>
    public DatasetDescription? Set { get; init; }

    /// <summary>Its accuracy in percent, where it is known.</summary>
    public double? Acc1 { get; init; }

    /// <summary>Height and width of its images.</summary>
    public required Size2 Image { get; init; }

    /// <summary>How its images are normalized, where it is known.</summary>
    public Normalization? Normalization { get; init; }

    public void Dispose() => Network.Dispose();
}
