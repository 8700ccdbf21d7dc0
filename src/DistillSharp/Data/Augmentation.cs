namespace DistillSharp.Data;

/// <summary>
/// The random part of preparing a training image: steps, one after the other, and at the end perhaps another image that is mixed in.
/// What happens to an image is a pure function of (seed, epoch, index), so neither the order of the images nor the number of threads
/// or processes changes it.
/// </summary>
public sealed record Augmentation
{
    // What a resized crop and a flip take together: as many were set aside for each image before there were other steps.
    const int MinNumbers = 23;

    readonly AugmentationStep[] steps;
    readonly MixingStep[] mixing;
    readonly int numbers;

    /// <summary>
    /// Puts steps together. A flip before a crop is done after it, which comes to the same, so that one order has one set of draws.
    /// </summary>
    /// <param name="steps">The steps in their order; none for images as they are.</param>
    /// <exception cref="UsageException">
    /// A step is listed twice, there are two crops, one that takes the stored image is not the first, or one that mixes images does not
    /// come last.
    /// </exception>
    public Augmentation(params IEnumerable<AugmentationStep> steps)
    {
        AugmentationStep[] all = [.. steps];
        mixing = [.. all.OfType<MixingStep>()];
        this.steps = [.. all.Where(step => step is not MixingStep)];
        if (all.SkipWhile(step => step is not MixingStep).FirstOrDefault(step => step is not MixingStep) is { } finishing)
            throw new UsageException($"augmentation '{mixing[0].Name}' mixes finished images, and so must come after '{finishing.Name}'");
        for (var i = this.steps.Length - 2; i >= 0; i--)
            for (var at = i; at + 1 < this.steps.Length && this.steps[at] is Flip && IsCrop(this.steps[at + 1]); at++)
                (this.steps[at], this.steps[at + 1]) = (this.steps[at + 1], this.steps[at]);
        if (all.GroupBy(step => step.Name).FirstOrDefault(same => same.Count() > 1) is { Key: var twice })
            throw new UsageException($"augmentation '{twice}' is listed twice");
        if (this.steps.Count(IsCrop) > 1) throw new UsageException("augmentation has both crop and resized-crop; take one of them");
        if (this.steps.Skip(1).FirstOrDefault(step => step.TakesOriginal) is { } late)
            throw new UsageException($"augmentation '{late.Name}' takes the image as it is stored, and "
                + $"so must come before '{this.steps[0].Name}'");
        numbers = Math.Max(MinNumbers, this.steps.Sum(step => step.Numbers));
        long? count = 1;
        foreach (var step in all) count = count * step.Variants is { } more && more <= int.MaxValue ? more : null;
        VariantCount = (int?)count;
    }

    /// <summary>Nothing is done: one variant.</summary>
    public static Augmentation None { get; } = new();

    /// <summary>The protocol of CIFAR: padding 4, then a flip.</summary>
    public static Augmentation CropAndFlip { get; } = new(new PadAndCrop(), new Flip());

    /// <summary>The steps, in the order in which they are done.</summary>
    public IReadOnlyList<AugmentationStep> Steps => [.. steps, .. mixing];

    /// <summary>The steps that mix another image in; one of them is drawn for each image.</summary>
    public IReadOnlyList<MixingStep> Mixing => mixing;

    // Which numbers decide.
    KeyedRandom.Purpose Draw { get; init; } = KeyedRandom.Purpose.Augmentation;

    /// <summary>The same steps with draws of their own, for the second view of an image.</summary>
    internal Augmentation OfSecondView() => this with { Draw = KeyedRandom.Purpose.SecondView };

    /// <summary>These steps and one more behind them, for a second view that is changed more; itself where it has that step.</summary>
    internal Augmentation Stronger(AugmentationStep more) =>
        Steps.Any(step => step.Name == more.Name) ? this : new([.. steps, more, .. mixing]);

    /// <summary>How many outcomes there are, all equally likely: the product of the steps'; null where one's cannot be counted.</summary>
    public int? VariantCount { get; }

    /// <summary>Whether the images are wanted as they were stored, of whatever size.</summary>
    public bool TakesOriginals => steps is [{ TakesOriginal: true }, ..];

    /// <summary>
    /// The number of the outcome for image <paramref name="index"/> in <paramref name="epoch"/>, the last step's counting as the
    /// lowest digit: the key of a cache of teacher outputs. -1 where outcomes cannot be counted.
    /// </summary>
    public int Variant(long seed, int epoch, int index) =>
        VariantCount is { } count ? KeyedRandom.For(Draw, seed, epoch).Below(count, index) : -1;

    /// <summary>What is mixed into image <paramref name="index"/> in <paramref name="epoch"/>; null for nothing.</summary>
    internal ImageMix? Mix(long seed, int epoch, int index, int images)
    {
        if (mixing.Length == 0) return null;
        var random = KeyedRandom.For(KeyedRandom.Purpose.Mixing, seed, epoch).Stream(index);
        var step = mixing[random.Below(mixing.Length, 0)];
        return random.Between(0, 1, 1) < step.Probability ? new(step, random.Below(images, 2), random.Stream(3)) : null;
    }

    /// <summary>Prepares image <paramref name="index"/> as it is shown in <paramref name="epoch"/>, but for what is mixed in.</summary>
    /// <param name="image">
    /// The image, [H, W, C], as stored where the steps <see cref="TakesOriginals"/>, else of the network's size.
    /// </param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="index">The image's position in its set.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="destination">[height, width, C].</param>
    public void Apply(ImageView image, long seed, int epoch, int index, int height, int width, Span<byte> destination) =>
        Apply(image, Draws(seed, epoch, index), 0, height, width, destination);

    /// <summary>Prepares image <paramref name="index"/> of a set as it is shown in <paramref name="epoch"/>.</summary>
    /// <param name="set">The set; where the first step is a crop, no more of the image than the crop is asked of it.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="index">The image's position in its set.</param>
    /// <param name="destination">[H, W, C], of the set's size.</param>
    public void Apply(ImageSet set, long seed, int epoch, int index, Span<byte> destination)
    {
        var draws = Draws(seed, epoch, index);
        if (steps is not [CropStep crop, ..])
        {
            Apply(TakesOriginals ? set.Original(index) : set.Image(index), draws, 0, set.Height, set.Width, destination);
            return;
        }
        var cut = steps.Length > 1 ? new byte[destination.Length] : destination;
        set.Crop(index, (height, width) => crop.Area(height, width, draws[0]), set.Height, set.Width, cut);
        if (steps.Length > 1) Apply(new(cut, set.Height, set.Width, set.Channels), draws, 1, set.Height, set.Width, destination);
    }

    AugmentationDraw[] Draws(long seed, int epoch, int index)
    {
        if (VariantCount is not null) return Split(Variant(seed, epoch, index));
        var draws = new AugmentationDraw[steps.Length];
        var random = KeyedRandom.For(Draw, seed, epoch);
        var first = unchecked(index * numbers);
        for (var i = 0; i < steps.Length; first = unchecked(first + steps[i++].Numbers)) draws[i] = new(random, first, steps[i].Variants);
        return draws;
    }

    /// <summary>Carries out the outcome with a number in 0..<see cref="VariantCount"/>-1.</summary>
    /// <param name="image">The image, [H, W, C].</param>
    /// <param name="variant">The number.</param>
    /// <param name="destination">[H, W, C] of the same size.</param>
    public void Apply(ImageView image, int variant, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)variant, (uint)(VariantCount ?? 0), nameof(variant));
        Apply(image, Split(variant), 0, image.Height, image.Width, destination);
    }

    /// <summary>Whether the steps and their settings are the same.</summary>
    public bool Equals(Augmentation? other) => other is not null && Steps.SequenceEqual(other.Steps);

    public override int GetHashCode() => Steps.Aggregate(0, HashCode.Combine);

    internal static Registry<Func<AugmentationStep>> KnownSteps()
    {
        var known = new Registry<Func<AugmentationStep>>("augmentation");
        Func<AugmentationStep>[] steps =
        [
            () => new PadAndCrop(), () => new ResizedCrop(), () => new Flip(), () => new RandAugment(), () => new TrivialAugment(),
            () => new AutoAugment(), () => new ColorJitter(), () => new RandomErasing(), () => new Mixup(), () => new CutMix(),
        ];
        foreach (var make in steps) known.Add(make().Name, make);
        return known;
    }

    static bool IsCrop(AugmentationStep step) => step is PadAndCrop or ResizedCrop;

    AugmentationDraw[] Split(int variant)
    {
        var draws = new AugmentationDraw[steps.Length];
        for (var i = steps.Length - 1; i >= 0; i--)
        {
            (variant, var own) = Math.DivRem(variant, steps[i].Variants!.Value);
            draws[i] = new(own);
        }
        return draws;
    }

    // Does the steps from one on.
    void Apply(ImageView image, ReadOnlySpan<AugmentationDraw> draws, int from, int height, int width, Span<byte> destination)
    {
        if (steps.Length == from)
        {
            image.Pixels.CopyTo(destination);
            return;
        }
        var spare = steps.Length > from + 1 ? new byte[destination.Length] : [];
        for (var i = from; i < steps.Length; i++)
        {
            // They take turns, so that the last step writes to the destination.
            var to = (steps.Length - i) % 2 == 1 ? destination : spare;
            steps[i].Apply(image, draws[i], height, width, to);
            image = new(to, height, width, image.Channels);
        }
    }
}
