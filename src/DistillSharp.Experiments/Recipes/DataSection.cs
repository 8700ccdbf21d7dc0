namespace DistillSharp.Experiments.Recipes;

/// <summary>The section <c>data</c>: the images and how they are served.</summary>
public sealed record DataSection
{
    const string Photographs = "for photographs";

    internal static RecipeKeys Keys { get; } = new("data");

    static readonly RecipeKey<string?> set = Keys.Add("set", RecipeForms.Name(toolkit => toolkit.Datasets),
        $"the data set: {string.Join(", ", Datasets.Names.Select(name => $"`{name}`"))}; photographs (`imagenet`, `image-folder`) lie as "
        + "train/CLASS/... and val/CLASS/...", otherwise: null, "must be given");
    static readonly RecipeKey<string?> root = Keys.Add("root", RecipeForms.Text("a folder"),
        "the folder of its files or archive", otherwise: "data", changesResults: false);
    static readonly RecipeKey<int> size = Keys.Add("size", RecipeForms.Size,
        "height and width of the images: photographs come in any that the networks take", known => Of(known).Size, $"32; 224 {Photographs}",
        written: HasSizes);
    static readonly RecipeKey<int> batch = Keys.Add("batch", RecipeForms.Int(min: 1),
        "images of one step", known => Of(known).Protocol.Batch, $"{Protocol.Cifar.Batch}; {Protocol.ImageNet.Batch} {Photographs}");
    static readonly RecipeKey<IReadOnlyList<AugmentationStep>> augment = Keys.Add("augment", AugmentationList.Form,
        "[steps](#augmentation) in their order; a bare name has the defaults",
        known => Of(known).Protocol.Augment,
        $"`{AugmentationList.Write(Protocol.Cifar.Augment)}`; `[crop]` for digits; `{AugmentationList.Write(Protocol.ImageNet.Augment)}` "
        + $"{Photographs}");
    static readonly RecipeKey<IReadOnlyList<AugmentationStep>?> secondView = Keys.Add(
        "second_view", AugmentationList.Form.OrAbsent(), "the same for the second view of an image, of which a method asks for two",
        otherwise: null, "`augment` with `auto-augment` behind it (policy `imagenet` for photographs)", quiet: true);
    static readonly RecipeKey<IReadOnlyList<float>> mean = Keys.Add("mean", RecipeForms.Mean,
        "the mean of each channel, of pixels in 0..1", known => Of(known).Mean, "the set's own");
    static readonly RecipeKey<IReadOnlyList<float>> std = Keys.Add("std", RecipeForms.Deviation,
        "the standard deviation of each channel", known => Of(known).Std, "the set's own");
    static readonly RecipeKey<bool> damaged = Keys.Add("damaged", RecipeForms.Word(("stop", false), ("skip", true)),
        "photographs that cannot be read: stop before anything is trained, naming them, or leave them out, counted; one that turns out "
        + "damaged later ends the run with a checkpoint, or is left out, counted in run.json", otherwise: false, written: HasSizes);
    static readonly RecipeKey<bool> decode = Keys.Add("decode", RecipeForms.Word(("exact", false), ("scaled", true)),
        "JPEG files whose crop is at least twice as large as `size`: decoded as they are, or scaled while they are decoded, which is "
        + "faster (docs/data.md says what it changes); images to measure on are always decoded exactly",
        otherwise: true, written: HasSizes);
    static readonly RecipeKey<bool> orientation = Keys.Add("orientation", RecipeForms.Word(("stored", false), ("upright", true)),
        "photographs as their pixels are stored, as torchvision reads them, or turned as their EXIF data says", otherwise: false,
        written: HasSizes);
    static readonly RecipeKey<string?> classes = Keys.Add("classes", RecipeForms.Text("a file"),
        "a file with the name of a class in each line, which gives their order", otherwise: null, "the order of the names",
        written: HasSizes);
    static readonly RecipeKey<int?> trainLimit = Keys.Add("train_limit", RecipeForms.Int(min: 1).OrNone(),
        "train on only so many images, as many of each class as it allows", otherwise: null, "all");
    static readonly RecipeKey<int?> testLimit = Keys.Add("test_limit", RecipeForms.Int(min: 1).OrNone(),
        "measure on only so many images", otherwise: null, "all");

    readonly RecipeValues values;

    DataSection(RecipeValues values) => this.values = values;

    /// <summary>The data set, one of <see cref="Toolkit.Datasets"/>.</summary>
    public string Set => set.Of(values)!;

    /// <summary>The folder that holds its files, relative to the current folder.</summary>
    public string Root => root.Of(values)!;

    /// <summary>Height and width of the images as the networks get them.</summary>
    public int Size => size.Of(values);

    /// <summary>Images of one training step.</summary>
    public int Batch => batch.Of(values);

    /// <summary>What is done to training images, step by step; nothing where it is empty.</summary>
    public IReadOnlyList<AugmentationStep> Augment => augment.Of(values);

    /// <summary>What is done for the second view of an image, where a method asks for two; null for the usual.</summary>
    public IReadOnlyList<AugmentationStep>? SecondView => secondView.Of(values);

    /// <summary>Mean of each channel, in 0..1.</summary>
    public IReadOnlyList<float> Mean => mean.Of(values);

    /// <summary>Standard deviation of each channel.</summary>
    public IReadOnlyList<float> Std => std.Of(values);

    /// <summary>Whether images that cannot be read are left out; otherwise nothing is trained.</summary>
    public bool SkipDamaged => damaged.Of(values);

    /// <summary>Whether large crops of JPEG files are scaled while they are decoded.</summary>
    public bool ScaledDecoding => decode.Of(values);

    /// <summary>Whether photographs are turned as their EXIF data says.</summary>
    public bool Upright => orientation.Of(values);

    /// <summary>A file with the name of a class in each line, in their order; null for the order of the names.</summary>
    public string? Classes => classes.Of(values);

    /// <summary>Train on at most so many images, as many of each class as it allows; null for all.</summary>
    public int? TrainLimit => trainLimit.Of(values);

    /// <summary>Measure on at most so many images; null for all.</summary>
    public int? TestLimit => testLimit.Of(values);

    internal static DataSection Read(YamlValue value, RecipeKnown known)
    {
        var section = Keys.Open(value);
        if (section["set"] is null)
            throw section.Mistake("set", $"data does not say which set; there are {string.Join(", ", known.Toolkit.Datasets.Names)}");
        var data = new DataSection(Keys.Read(section, known));
        var described = known.Toolkit.Datasets[data.Set];
        if (data.Size != described.Size && !described.HasSizes)
            throw section.Mistake(
                "size", $"data.size is {data.Size}, but the images of {data.Set} are {described.Size}x{described.Size}; leave it out");
        if (data.SkipDamaged && !described.HasSizes)
            throw section.Mistake("damaged",
                $"data.damaged is skip, but the images of {data.Set} are no files that could be left out one by one; leave it out");
        foreach (var key in new[] { decode.Name, orientation.Name, classes.Name })
            if (section[key] is not null && !described.HasSizes)
                throw section.Mistake(key, $"data.{key} is for photographs, and those of {data.Set} are none; leave it out");
        if (data.Mean.Count != data.Std.Count)
            throw section.Mistake("std",
                $"data.mean has {data.Mean.Count} values and data.std {data.Std.Count}; give one of each for every channel");
        if (data.TrainLimit < data.Batch)
            throw section.Mistake("train_limit",
                $"data.train_limit is {data.TrainLimit}, less than one batch of {data.Batch}; raise it or lower data.batch");
        return data;
    }

    internal ReadOptions ReadOptions() => new(Size, SkipDamaged)
    {
        ScaledDecoding = ScaledDecoding, Upright = Upright, Classes = Classes is { } file ? ClassNames.Read(file) : null,
    };

    internal void Write(RecipeText text, bool decisive) => Keys.Write(text, values, decisive);

    static bool HasSizes(RecipeKnown known) => Of(known).HasSizes;

    static DatasetDescription Of(RecipeKnown known) => known.Toolkit.Datasets[set.Of(known.Values)!];
}
