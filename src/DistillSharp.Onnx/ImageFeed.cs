namespace DistillSharp.Onnx;

/// <summary>
/// A set's images for a graph, in batches. Graphs that prepare images themselves and take any size get them as they are stored; others
/// get the set's, normalized as the file's metadata say, or where these say nothing, as the set does.
/// </summary>
static class ImageFeed
{
    /// <summary>All images once, in their order.</summary>
    public static IEnumerable<FedImages> Of(OnnxClassifier classifier, Dataset data, ImageSet images, int batch) =>
        classifier.Input == OnnxInput.Pixels ? Stored(classifier, images, classifier.Batch ?? batch)
        : Normalized(classifier, images, classifier.Card.Normalization ?? data.Normalization, classifier.Batch ?? batch);

    static IEnumerable<FedImages> Normalized(OnnxClassifier classifier, ImageSet images, Normalization normalization, int batch)
    {
        var size = new Size2(images.Height, images.Width);
        foreach (var next in new BatchLoader(images, normalization, BatchOptions.Evaluation(batch)).Epoch())
        {
            var labels = Array.ConvertAll(next.Labels.ToArray<long>(), label => (int)label);
            var count = classifier.Batch ?? labels.Length;
            yield return new(Filled(next.Images.ToArray<float>(), labels.Length, count), [], count, size, labels);
        }
    }

    // Photographs as they are stored have sizes of their own: a batch ends where another size begins.
    static IEnumerable<FedImages> Stored(OnnxClassifier classifier, ImageSet images, int batch)
    {
        var (pixels, labels, size) = (new List<byte>(), new List<int>(), default(Size2));
        for (var i = 0; i < images.Count; i++)
        {
            var (own, image) = Image(i);
            if (labels.Count == batch || (labels.Count > 0 && own != size)) yield return Flush();
            size = own;
            pixels.AddRange(image);
            labels.Add(images.Labels[i]);
        }
        yield return Flush();

        (Size2, byte[]) Image(int index)
        {
            var image = classifier.Size is null ? images.Original(index) : images.Image(index);
            return (new(image.Height, image.Width), image.Pixels.ToArray());
        }

        FedImages Flush()
        {
            var count = classifier.Batch ?? labels.Count;
            var fed = new FedImages([], Filled([.. pixels], labels.Count, count), count, size, [.. labels]);
            pixels.Clear();
            labels.Clear();
            return fed;
        }
    }

    // A graph of fixed batches gets a last one filled up.
    static T[] Filled<T>(T[] values, int images, int count)
    {
        Array.Resize(ref values, values.Length / images * count);
        return values;
    }
}
