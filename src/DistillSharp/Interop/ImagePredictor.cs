using DistillSharp.Data;

namespace DistillSharp.Interop;

/// <summary>One of the classes that a network sees in an image.</summary>
/// <param name="Class">The class's name, or its number where names are unknown.</param>
/// <param name="Index">The class's number.</param>
/// <param name="Probability">0..1, by softmax.</param>
public sealed record Guess(string Class, int Index, double Probability);

/// <summary>What a network sees in an image.</summary>
/// <param name="File">The image's file.</param>
/// <param name="Guesses">The likeliest classes, the first one first; empty where the file could not be read.</param>
/// <param name="Error">Why the file could not be read; null where it could.</param>
public sealed record Prediction(string File, IReadOnlyList<Guess> Guesses, string? Error = null);

/// <summary>Classifies image files, whatever runs the network.</summary>
public abstract class ImagePredictor : IDisposable
{
    // Photographs lie whole in memory until the batch has run.
    const int Batch = 8;

    /// <summary>The names of the classes in the order of the logits, where they are known.</summary>
    protected abstract IReadOnlyList<string>? ClassNames { get; }

    /// <summary>What the network says of images: logits [classes] for each.</summary>
    protected abstract IEnumerable<float[]> Logits(IReadOnlyList<DecodedImage> images);

    /// <summary>Classifies files, in batches as the results are asked for. A file that is no image is reported, not thrown.</summary>
    /// <param name="paths">Image files, and folders, which stand for all such files in them and below.</param>
    /// <param name="top">How many classes to name for each image, at most.</param>
    public IEnumerable<Prediction> Predict(IEnumerable<string> paths, int top = 5)
    {
        if (top < 1) throw new UsageException($"the {top} likeliest classes are none; give 1 or more");
        return paths.SelectMany(Files).Chunk(Batch).SelectMany(files => PredictBatch(files, top));
    }

    static IEnumerable<string> Files(string path)
    {
        if (!Directory.Exists(path)) return [path];
        var inside = ImageFiles.Below(path).ToList();
        return inside.Count > 0 ? inside : throw new UserException($"'{path}' holds no images (files ending with {ImageFiles.Endings})");
    }

    Prediction[] PredictBatch(string[] files, int top)
    {
        var predictions = new Prediction[files.Length];
        var (images, places) = (new List<DecodedImage>(), new List<int>());
        for (var i = 0; i < files.Length; i++)
        {
            try
            {
                images.Add(ImageFiles.Read(files[i]));
                places.Add(i);
            }
            catch (UserException e)
            {
                predictions[i] = new(files[i], [], e.Message);
            }
        }
        if (images.Count == 0) return predictions;
        foreach (var (place, logits) in places.Zip(Logits(images))) predictions[place] = new(files[place], Guesses(logits, top));
        return predictions;
    }

    List<Guess> Guesses(float[] logits, int top)
    {
        var largest = logits.Max();
        var powers = Array.ConvertAll(logits, logit => Math.Exp((double)logit - largest));
        var sum = powers.Sum();
        return [.. Enumerable.Range(0, logits.Length).OrderByDescending(c => powers[c]).Take(top)
            .Select(c => new Guess(ClassNames?[c] ?? $"class {c}", c, powers[c] / sum))];
    }

    public abstract void Dispose();
}
