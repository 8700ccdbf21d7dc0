using DistillSharp.Extending;

namespace DistillSharp.Onnx.Teachers;

/// <summary>
/// A frozen network in an ONNX file, as a teacher: it shows logits, pooled features or both, and no stages. It is run on the
/// processor by ONNX Runtime, in batches, or in the batches that the graph has fixed.
/// </summary>
public sealed class OnnxTeacher : Classifier
{
    readonly OnnxGraphFile graph;
    readonly OnnxGraphFile? prepare;
    readonly string? logits, pooled;
    readonly bool channelsLast;
    readonly long? batch;

    OnnxTeacher(TeacherFile file, OnnxGraphFile graph, OnnxGraphFile? prepare, OnnxImages images, OnnxOutputs outputs)
        : base(
            Path.GetFileNameWithoutExtension(file.Path), file.Classes,
            new InputRule(images.Size ?? file.Image, OnlyNatural: images.Size is not null))
    {
        (this.graph, this.prepare, batch, channelsLast) = (graph, prepare, images.Batch, images.ChannelsLast);
        (logits, pooled) = (outputs.Logits, outputs.Pooled);
    }

    /// <summary>Makes <c>onnx</c> known as a kind of teacher: recipes then take <c>teacher: { onnx: FILE, ... }</c>.</summary>
    public static void Register(Toolkit toolkit) => toolkit.Teachers.Add("onnx", (file, said) => Load(file, said));

    /// <summary>Loads a file and runs it once on a black image, to see what it returns.</summary>
    /// <param name="file">The file. Where neither output is named, the one output that is as wide as there are classes is the
    /// logits.</param>
    /// <param name="said">Is told what is worth knowing.</param>
    /// <exception cref="UserException">It is missing, ONNX Runtime cannot run it, or an output is not what it is named for.</exception>
    public static OnnxTeacher Load(TeacherFile file, Action<string>? said = null)
    {
        OnnxGraphFile? graph = null, prepare = null;
        try
        {
            graph = new(file.Path);
            prepare = file.Prepare is { } preparation ? new(preparation) : null;
            var images = Images(graph, prepare);
            var names = OnnxOutputs.Asked(graph, file);
            using var scope = TensorScope.Open();
            var results = RunOn(graph, Prepared(prepare, images.Black(file.Image)), names);
            var shapes = Enumerable.Range(0, names.Length).ToDictionary(i => names[i], i => results[i].Shape.ToArray());
            var teacher = new OnnxTeacher(file, graph, prepare, images, OnnxOutputs.Of(graph, file, shapes));
            if (images.Batch == 1)
                said?.Invoke($"{file.Path}: the graph takes one image at a time, so it is run image by image; one with an open batch would "
                    + "be quicker");
            else if (images.Batch is { } batch)
                said?.Invoke($"{file.Path}: the graph takes {batch} images at a time, so it is run in such batches");
            return teacher;
        }
        catch
        {
            graph?.Dispose();
            prepare?.Dispose();
            throw;
        }
    }

    // What the first of the graphs takes; a batch that either has fixed holds for both.
    static OnnxImages Images(OnnxGraphFile graph, OnnxGraphFile? prepare)
    {
        var own = OnnxImages.Of(graph);
        if (prepare is null) return own;
        var before = OnnxImages.Of(prepare);
        if (own.Batch is { } batch && before.Batch is { } first && batch != first)
            throw new UserException($"{prepare.Path} takes {first} images at a time, {graph.Path} {batch}");
        return before with { Batch = before.Batch ?? own.Batch, Size = before.Size ?? own.Size };
    }

    public override bool ShowsLogits => logits is not null;

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var (count, device) = (images.Size(0), images.Device);
        var given = images.Detach().To(Device.Cpu).To(DType.Float32);
        string[] names = [.. new[] { logits, pooled }.OfType<string>().Distinct()];
        var parts = new List<Tensor[]>();
        for (long start = 0; start < count; start += batch ?? count)
            parts.Add(Run(given.Narrow(0, start, Math.Min(batch ?? count, count - start)), names));

        Tensor Output(string name) => Tensor.Cat([.. parts.Select(part => part[Array.IndexOf(names, name)])]).To(device);
        if (pooled is not null) tap.Pooled(Pool(Output(pooled)));
        // Nobody reads logits that are not there: the trainer refuses methods that would.
        return logits is null ? Tensor.Full([count, Classes], double.NaN, device: device) : Output(logits).Flatten(1);
    }

    // A batch that is fixed is filled up with black images, whose results are dropped.
    Tensor[] Run(Tensor images, string[] names)
    {
        var count = images.Size(0);
        if (batch is { } whole && count < whole) images = Tensor.Cat([images, Tensor.Zeros([whole - count, .. images.Shape.Skip(1)])]);
        if (channelsLast) images = images.Permute(0, 2, 3, 1);
        return [.. RunOn(graph, Prepared(prepare, images), names).Select(result => result.Narrow(0, 0, count))];
    }

    static Tensor Prepared(OnnxGraphFile? prepare, Tensor images) =>
        prepare is null ? images : RunOn(prepare, images, [prepare.Outputs[0].Name])[0];

    static Tensor[] RunOn(OnnxGraphFile graph, Tensor images, IReadOnlyList<string> names) =>
        graph.Run(images.Contiguous().ToArray<float>(), [.. images.Shape], names);

    /// <summary>[N, W], or the means over the image of [N, W, h, w].</summary>
    static Tensor Pool(Tensor features) => features.Dimensions == 4 ? features.Mean([2, 3]) : features.Flatten(1);

    public override void Dispose()
    {
        base.Dispose();
        graph.Dispose();
        prepare?.Dispose();
    }
}
