using DistillSharp.Data;
using DistillSharp.Extending;

namespace DistillSharp.Experiments.Recipes;

/// <summary>The section <c>data</c>: the images and how they are served.</summary>
public sealed record DataSection
{
    const int MaxSize = 4096;

    internal static IReadOnlyList<string> Keys { get; } = ["set", "root", "size", "batch", "augment", "mean", "std", "damaged", "train_limit", "test_limit"];

    /// <summary>The data set, one of <see cref="Toolkit.Datasets"/>.</summary>
    public required string Set { get; init; }

    /// <summary>The folder that holds its files, relative to the current folder.</summary>
    public required string Root { get; init; }

    /// <summary>Height and width of the images as the networks get them.</summary>
    public required int Size { get; init; }

    /// <summary>Whether the set's images come in other sizes.</summary>
    internal bool HasSizes { get; init; }

    /// <summary>Images of one training step.</summary>
    public required int Batch { get; init; }

    /// <summary>What is done to training images, step by step; nothing where it is empty.</summary>
    public required IReadOnlyList<AugmentationStep> Augment { get; init; }

    /// <summary>Mean of each channel, in 0..1.</summary>
    public required IReadOnlyList<float> Mean { get; init; }

    /// <summary>Standard deviation of each channel.</summary>
    public required IReadOnlyList<float> Std { get; init; }

    /// <summary>Whether images that cannot be read are left out; otherwise nothing is trained.</summary>
    public bool SkipDamaged { get; init; }

    /// <summary>Train on at most so many images, as many of each class as it allows; null for all.</summary>
    public int? TrainLimit { get; init; }

    /// <summary>Measure on at most so many images; null for all.</summary>
    public int? TestLimit { get; init; }

    internal static DataSection Read(YamlValue value, Toolkit toolkit)
    {
        var section = new RecipeSection(value, "data", Keys);
        var set = section.Known("set", toolkit.Datasets)
            ?? throw section.Mistake("set", $"data does not say which set; there are {string.Join(", ", toolkit.Datasets.Names)}");
        var data = new DataSection
        {
            Set = set.Name,
            Root = section.Text("root", "a folder") ?? "data",
            Size = section.Int("size", min: 1, max: MaxSize) ?? set.Size,
            HasSizes = set.HasSizes,
            Batch = section.Int("batch", min: 1) ?? set.Protocol.Batch,
            Augment = AugmentationList.Read(section, "augment", toolkit.Augmentations) ?? set.Protocol.Augment,
            Mean = Channels(section, "mean", mean => mean is >= 0 and <= 1, "a list of numbers from 0 to 1, one for each channel") ?? set.Mean,
            Std = Channels(section, "std", std => std is > 0 and <= 1 && (float)std > 0, "a list of numbers above 0 and at most 1, one for each channel")
                ?? set.Std,
            SkipDamaged = section.Word("damaged", "stop", "stop", "skip") == "skip",
            TrainLimit = section.Int("train_limit", min: 1),
            TestLimit = section.Int("test_limit", min: 1),
        };
        if (data.Size != set.Size && !set.HasSizes)
            throw section.Mistake("size", $"data.size is {data.Size}, but the images of {set.Name} are {set.Size}x{set.Size}; leave it out");
        if (data.SkipDamaged && !set.HasSizes)
            throw section.Mistake("damaged", $"data.damaged is skip, but the images of {set.Name} are no files that could be left out one by one; leave it out");
        if (data.Mean.Count != data.Std.Count)
            throw section.Mistake("std", $"data.mean has {data.Mean.Count} values and data.std {data.Std.Count}; give one of each for every channel");
        if (data.TrainLimit < data.Batch)
            throw section.Mistake("train_limit", $"data.train_limit is {data.TrainLimit}, less than one batch of {data.Batch}; raise it or lower data.batch");
        return data;
    }

    internal void Write(RecipeText text)
    {
        text.Section("data");
        text.Text("set", Set);
        text.Text("root", Root);
        if (HasSizes) text.Number<int>("size", Size);
        text.Number<int>("batch", Batch);
        text.Raw("augment", AugmentationList.Write(Augment));
        text.Raw("mean", RecipeText.List(Mean.Select(RecipeText.Number)));
        text.Raw("std", RecipeText.List(Std.Select(RecipeText.Number)));
        if (HasSizes) text.Raw("damaged", SkipDamaged ? "skip" : "stop");
        text.Number("train_limit", TrainLimit);
        text.Number("test_limit", TestLimit);
    }

    static IReadOnlyList<float>? Channels(RecipeSection section, string key, Func<double, bool> possible, string must)
    {
        var values = section.Numbers(key, possible, must);
        if (values is { Count: 0 }) throw section.Wrong(key, section[key]!, must);
        return values is null ? null : [.. values.Select(value => (float)value)];
    }
}
