namespace DistillSharp.Data;

/// <summary>
/// One step of preparing a training image, such as a crop. What it does to an image is a pure function of what was drawn for it,
/// and that of (seed, epoch, index). Its settings are public properties marked with <see cref="SettingAttribute"/>; recipes set
/// them by their snake_case names. One of your own is made known by <c>toolkit.Augmentations.Add(name, () => new MyStep())</c>.
/// </summary>
public abstract record AugmentationStep
{
    /// <summary>The name in recipes.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// How many outcomes there are for any image, all of them equally likely; null where they are without end or too many to be met
    /// again. Where those of all steps are counted, an image comes up as it was before, and the teacher's answer can be remembered.
    /// </summary>
    public abstract int? Variants { get; }

    /// <summary>How many random numbers it takes for an image at most, where outcomes are not counted.</summary>
    public virtual int Numbers => 1;

    /// <summary>
    /// Whether it takes the image as it was stored, of whatever size, and brings it to the network's; such a step comes first.
    /// </summary>
    public virtual bool TakesOriginal => false;

    /// <summary>Carries the step out. May be called from several threads at once.</summary>
    /// <param name="image">The image, [H, W, C]: of the network's size, unless the step <see cref="TakesOriginal"/>.</param>
    /// <param name="draw">What was drawn for it.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="destination">[height, width, C]; not the memory of the image.</param>
    public abstract void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination);
}

/// <summary>What was drawn for one step and one image.</summary>
public readonly struct AugmentationDraw
{
    readonly KeyedRandom random;
    readonly int first;

    internal AugmentationDraw(int variant) => Variant = variant;

    internal AugmentationDraw(KeyedRandom random, int first, int? variants)
    {
        (this.random, this.first) = (random, first);
        Variant = variants is { } count ? random.Below(count, first) : -1;
    }

    /// <summary>
    /// The number of the outcome, 0..<see cref="AugmentationStep.Variants"/>-1; -1 for a step whose outcomes are not counted.
    /// </summary>
    public int Variant { get; }

    /// <summary>A whole number in 0..<paramref name="bound"/>-1, for a step whose outcomes are not counted.</summary>
    /// <param name="bound">How many there are.</param>
    /// <param name="number">Which of the step's numbers, 0..<see cref="AugmentationStep.Numbers"/>-1.</param>
    public int Below(int bound, int number) => random.Below(bound, unchecked(first + number));

    /// <summary>A number from <paramref name="low"/> to below <paramref name="high"/>, for a step whose outcomes are not counted.</summary>
    /// <param name="low">The least.</param>
    /// <param name="high">What it stays below.</param>
    /// <param name="number">Which of the step's numbers, 0..<see cref="AugmentationStep.Numbers"/>-1.</param>
    public double Between(double low, double high, int number) => random.Between(low, high, unchecked(first + number));

    /// <summary>Numbers without end that follow from one of the step's, for a step whose outcomes are not counted.</summary>
    /// <param name="number">Which of the step's numbers, 0..<see cref="AugmentationStep.Numbers"/>-1.</param>
    public KeyedRandom Stream(int number) => random.Stream(unchecked(first + number));
}
