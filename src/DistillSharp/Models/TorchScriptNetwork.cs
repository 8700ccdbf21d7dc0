namespace DistillSharp.Models;

/// <summary>
/// A teacher from anywhere: a network saved by <c>torch.jit.save</c> that takes images [N, 3, H, W] and returns logits
/// [N, classes], or (logits, pooled features [N, width]). It has no stages. Such a file is a program: load only what you
/// would run.
/// </summary>
public sealed class TorchScriptNetwork : Classifier
{
    readonly TorchScriptModule module;

    TorchScriptNetwork(string name, TorchScriptModule module, long classes, Size2 image) : base(name, (int)classes, new InputRule(image))
    {
        this.module = module;
        foreach (var (key, tensor, isParameter) in module.State())
        {
            if (isParameter && tensor.DType.IsFloatingPoint()) Parameter(key, tensor);
            else Buffer(key, tensor);
        }
        RequireGrad(false);
    }

    /// <summary>Loads a file and runs it once on a black image, to see what it returns.</summary>
    /// <param name="path">The file.</param>
    /// <param name="image">Height and width of the images that it will be given.</param>
    /// <exception cref="UserException">It is missing or no TorchScript file, cannot take such images or returns something else.</exception>
    public static TorchScriptNetwork Load(string path, Size2 image)
    {
        if (!File.Exists(path))
            throw new UserException(
                $"cannot read {path}: {(Directory.Exists(path) ? "it is a folder, a file is needed" : "the file does not exist")}");
        var loaded = Try(() => TorchScriptModule.Load(path), $"{path}: is no TorchScript network that libtorch {Runtime.Version} reads");
        return loaded.OrDispose(module =>
        {
            using var off = Autograd.NoGrad();
            using var scope = TensorScope.Open();
            var images = Tensor.Zeros([1, 3, image.Height, image.Width]);
            var output = Try(() => module.Forward(images), $"{path}: the network cannot take images of {image}");
            if (output.Length is < 1 or > 2 || output.Any(tensor => tensor.Dimensions != 2 || tensor.Size(0) != 1))
                throw new UserException($"{path}: for one image the network returns "
                    + $"{string.Join(" and ", output.Select(tensor => $"[{string.Join(", ", tensor.Shape)}]"))}; it should return logits "
                    + "[1, classes], or (logits, pooled features [1, width])");
            return new TorchScriptNetwork(Path.GetFileNameWithoutExtension(path), module, output[0].Size(1), image);
        });
    }

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var output = module.Forward(images);
        if (output.Length > 1) tap.Pooled(output[1]);
        return output[0];
    }

    public override void Dispose()
    {
        base.Dispose();
        module.Dispose();
    }

    static T Try<T>(Func<T> act, string complaint)
    {
        try { return act(); }
        catch (TorchException e)
        {
            // The interpreter's own trace comes before what went wrong.
            var reason = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var said = reason.LastOrDefault(line => line.StartsWith("RuntimeError: ", StringComparison.Ordinal)) ?? reason[0];
            throw new UserException($"{complaint}: {said}", e);
        }
    }
}
