using DistillSharp.Interop;

namespace DistillSharp.Onnx.Prediction;

/// <summary>
/// Classifies image files by an ONNX file alone: classes, size and normalization stand in its metadata. Images are brought to the
/// network's size as <see cref="DatasetDescription.Prepare"/> does it, or by the graph where that takes any size.
/// </summary>
public sealed class OnnxPredictor : ImagePredictor
{
    readonly OnnxClassifier classifier;
    readonly Normalization? normalization;

    /// <summary>Loads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="threads">Threads of one run; 0 for as many as there are cores.</param>
    /// <exception cref="UserException">It is no classifier of color images, or does not say how these are normalized.</exception>
    public OnnxPredictor(string path, int threads = 0)
    {
        classifier = new(path, threads);
        normalization = classifier.Card.Normalization;
        if (classifier.Input != OnnxInput.Normalized || normalization is not null) return;
        classifier.Dispose();
        throw new UserException($"'{path}' does not say how its images are normalized (mean and std in its metadata); export it with its "
            + "data set, or the channels' mean and std");
    }

    /// <summary>Whether a path names an ONNX file, by its ending.</summary>
    public static bool Takes(string path) => path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);

    protected override IReadOnlyList<string>? ClassNames => classifier.Card.ClassNames;

    protected override IEnumerable<float[]> Logits(IReadOnlyList<DecodedImage> images)
    {
        // One at a time: images as they are have sizes of their own.
        if (classifier is { Input: OnnxInput.Pixels, Size: null })
            return images.Select(image => Run(image.Pixels, new(image.Height, image.Width)));
        var size = classifier.ImageSize;
        var (height, width) = ((int)size.Height, (int)size.Width);
        var shorter = classifier.Card.ShorterSide ?? Math.Max(height, width);
        return images.Select(image =>
        {
            var pixels = ImageScaling.FitCenter(new(image.Pixels, image.Height, image.Width, 3), shorter, height, width);
            return classifier.Input == OnnxInput.Pixels ? Run(pixels, size) : RunNormalized(pixels, size);
        });
    }

    // A graph of larger batches gets the image as often as it wants one.
    float[] Run(byte[] pixels, Size2 size) => First(classifier.Logits(Repeated(pixels), classifier.Batch ?? 1, size));

    float[] RunNormalized(byte[] pixels, Size2 size)
    {
        var values = new float[pixels.Length];
        normalization!.Apply(pixels, values);
        var planes = new float[pixels.Length];
        var plane = pixels.Length / 3;
        for (var i = 0; i < plane; i++)
            for (var c = 0; c < 3; c++) planes[c * plane + i] = values[3 * i + c];
        return First(classifier.Logits(Repeated(planes), classifier.Batch ?? 1, size));
    }

    T[] Repeated<T>(T[] image) =>
        classifier.Batch is > 1 and var batch ? [.. Enumerable.Repeat(image, batch).SelectMany(values => values)] : image;

    float[] First(float[] logits) => logits[..(logits.Length / (classifier.Batch ?? 1))];

    public override void Dispose() => classifier.Dispose();
}
