using DistillSharp.Data;
using DistillSharp.Torch;

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

/// <summary>Classifies image files. It owns the network.</summary>
public sealed class Predictor : IDisposable
{
    const int Batch = 32;
    readonly LoadedNetwork loaded;
    readonly Normalization normalization;

    /// <param name="loaded">The network; its normalization must be known.</param>
    /// <exception cref="UsageException">The normalization is unknown.</exception>
    public Predictor(LoadedNetwork loaded)
    {
        this.loaded = loaded;
        normalization = loaded.Normalization
            ?? throw new UsageException("the normalization of the images is unknown: give --data NAME, or --mean and --std");
    }

    /// <summary>Classifies files, in batches as the results are asked for. A file that is no image is reported, not thrown.</summary>
    /// <param name="paths">Image files, and folders, which stand for all such files in them and below.</param>
    /// <param name="top">How many classes to name for each image, at most.</param>
    public IEnumerable<Prediction> Predict(IEnumerable<string> paths, int top = 5)
    {
        if (top < 1) throw new UsageException($"--top {top} names no class; give 1 or more");
        return paths.SelectMany(Files).Chunk(Batch).SelectMany(files => PredictBatch(files, top));
    }

    static IEnumerable<string> Files(string path)
    {
        if (!Directory.Exists(path)) return [path];
        var inside = ImageFiles.Below(path).ToList();
        return inside.Count > 0 ? inside : throw new UserException($"'{path}' holds no images (files ending with {ImageFiles.Endings})");
    }

    IReadOnlyList<Prediction> PredictBatch(string[] files, int top)
    {
        var (height, width) = ((int)loaded.Image.Height, (int)loaded.Image.Width);
        var size = height * width * 3;
        var values = new float[files.Length * size];
        var predictions = new Prediction[files.Length];
        var read = new List<int>();
        for (var i = 0; i < files.Length; i++)
        {
            try
            {
                normalization.Apply(Prepared(files[i], height, width), values.AsSpan(read.Count * size, size));
                read.Add(i);
            }
            catch (UserException e)
            {
                predictions[i] = new(files[i], [], e.Message);
            }
        }
        if (read.Count == 0) return predictions;

        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var images = Tensor.From(values.AsSpan(0, read.Count * size), read.Count, height, width, 3).Permute(0, 3, 1, 2);
        var probabilities = Functional.Softmax(loaded.Network.Forward(images.To(loaded.Network.Device)).Logits.To(DType.Float64));
        var (likeliest, classes) = probabilities.TopK(Math.Min(top, loaded.Network.Classes));
        var (p, c) = (likeliest.ToArray<double>(), classes.ToArray<long>());
        var each = p.Length / read.Count;
        for (var i = 0; i < read.Count; i++)
            predictions[read[i]] = new(files[read[i]], [.. Enumerable.Range(i * each, each).Select(at => Named((int)c[at], p[at]))]);
        return predictions;
    }

    byte[] Prepared(string file, int height, int width)
    {
        var image = ImageFiles.Read(file);
        var view = new ImageView(image.Pixels, image.Height, image.Width, 3);
        return loaded.Set?.Prepare(view, height, width) ?? ImageScaling.FitCenter(view, Math.Max(height, width), height, width);
    }

    Guess Named(int index, double probability) => new(loaded.ClassNames?[index] ?? $"class {index}", index, probability);

    /// <inheritdoc/>
    public void Dispose() => loaded.Dispose();
}
