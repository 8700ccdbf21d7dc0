namespace DistillSharp.Data;

/// <summary>A data set for classification: training images, test images, and how they are normalized.</summary>
/// <param name="Name">The name in recipes, for example <c>cifar100</c>.</param>
/// <param name="Train">Images to train on.</param>
/// <param name="Test">Images to measure on, of the same size and classes.</param>
/// <param name="Mean">Mean of each channel, in 0..1; replace it by <c>with</c>.</param>
/// <param name="Std">Standard deviation of each channel.</param>
public sealed record Dataset(string Name, ImageSet Train, ImageSet Test, IReadOnlyList<float> Mean, IReadOnlyList<float> Std)
{
    /// <summary>How networks are usually trained on it: what <c>TrainingOptions</c> and methods leave unsaid follows it.</summary>
    public Protocol Protocol { get; init; } = Protocol.Cifar;

    /// <summary>Number of classes.</summary>
    public int Classes => ClassNames.Count;

    /// <summary>The name of each class.</summary>
    public IReadOnlyList<string> ClassNames => Train.ClassNames;

    /// <summary>The normalization by <see cref="Mean"/> and <see cref="Std"/>.</summary>
    /// <exception cref="UsageException">They are not one finite mean and one positive deviation for each channel.</exception>
    public Normalization Normalization
    {
        get
        {
            var normalization = new Normalization(Mean, Std);
            return normalization.Channels == Train.Channels ? normalization
                : throw new UsageException(
                    $"the normalization has {normalization.Channels} channels, but the images of {Name} have {Train.Channels}");
        }
    }

    /// <summary>
    /// What was found, in a line: images and classes of both parts, what was left out, which classes have no test images.
    /// </summary>
    public string Found
    {
        get
        {
            const int maxNamed = 5;
            string[] leftOut = [.. Train.LeftOut, .. Test.LeftOut], misnamed = [.. Train.Misnamed, .. Test.Misnamed];
            var unmeasured = ClassNames.Where((_, label) => Test.Labels.IndexOf(label) < 0).ToArray();
            var measured = Classes - unmeasured.Length;
            return $"{Train.Count:N0} image{(Train.Count == 1 ? "" : "s")} in {Classes} class{(Classes == 1 ? "" : "es")} (train), "
                + $"{Test.Count:N0} in {measured} (test)"
                + (leftOut.Length > 0 ? $"; left out: {string.Join(", ", leftOut)}" : "")
                + (misnamed.Length > 0 ? $"; read by content: {string.Join(", ", misnamed)}" : "")
                + unmeasured.Length switch
                {
                    0 => "",
                    1 => $"; class {unmeasured[0]} has no test images",
                    <= maxNamed => $"; classes {string.Join(", ", unmeasured)} have no test images",
                    var count => $"; {count} classes have no test images",
                };
        }
    }

    /// <summary>The same data set with at most so many images, as many of each class as it allows; null leaves a part whole.</summary>
    /// <exception cref="UsageException">A limit is not positive.</exception>
    public Dataset Limit(int? train = null, int? test = null, long seed = 0) => this with
    {
        Train = train is { } trainLimit ? Train.Subset(trainLimit, seed) : Train,
        Test = test is { } testLimit ? Test.Subset(testLimit, seed) : Test,
    };
}
