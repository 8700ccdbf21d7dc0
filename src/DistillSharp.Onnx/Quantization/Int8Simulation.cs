using DistillSharp.Interop.Onnx;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Onnx.Quantization;

/// <summary>Computes a network as <see cref="Int8Graph"/> writes it, with gradients.</summary>
sealed class Int8Simulation : StudentQuantizer
{
    // The weight of a batch in the moving averages of its least and largest values.
    const float Momentum = .01f;

    // They hand values on, and which of them are needed depends on how the values lie in memory: the plan gives them no scale.
    static readonly string[] moves =
    [
        "aten::reshape", "aten::view", "aten::transpose", "aten::permute", "aten::flatten", "aten::contiguous", "aten::clone", "aten::to",
        "aten::unsqueeze", "aten::squeeze", "aten::expand",
    ];

    static readonly Operator convolution = new("distillsharp::conv2d"), clampMin = new("aten::clamp_min");

    readonly Classifier student;
    readonly QuantizationPoints points;
    readonly Dictionary<int, NormFold> folds = [];
    readonly HashSet<int> folded = [];
    readonly HashSet<int> takesImages = [];
    readonly string[] operators;
    int last, next;

    /// <param name="student">The network.</param>
    /// <param name="features">What is asked of it beside its logits.</param>
    /// <param name="image">Height and width of its images.</param>
    /// <exception cref="UserException">It cannot be written as ONNX, or has nothing that could be quantized.</exception>
    public Int8Simulation(Classifier student, Features features, Size2 image) : base(student)
    {
        this.student = student;
        var model = OnnxModel.Of(student, new() { ImageSize = image }, out var names);
        points = QuantizationPoints.Of(model.Graph, names);
        if (points.Layers.Count == 0)
            throw new UserException($"{student.Name} has no convolution or linear layer that can be trained in int8");
        var calls = names.Trace.Calls;
        operators = [.. calls.Select(call => call.Operator)];
        if (!Operators(student, features, image).SequenceEqual(operators))
            throw new UserException($"{student.Name} cannot be trained in int8: it computes otherwise where methods ask for its features");
        var places = calls.Select((call, place) => (call, place))
            .ToDictionary(one => one.call, one => one.place, (IEqualityComparer<TracedCall>)ReferenceEqualityComparer.Instance);
        foreach (var fold in NormFold.In(calls, names.Trace.Logits))
        {
            folds[places[fold.Convolution]] = fold;
            folded.Add(places[fold.Norm]);
        }
        if (points.Tensors.ContainsKey(QuantizationPoints.Images))
            takesImages.UnionWith(points.Layers.Where(call => calls[call].Arguments[0].Tensor == names.Trace.Input));
    }

    static string[] Operators(Classifier student, Features features, Size2 image)
    {
        using var evaluating = new Evaluating(student);
        using var scope = TensorScope.Open();
        var images = Tensor.Zeros([2, 3, image.Height, image.Width], device: student.Device);
        using var trace = OperatorTrace.Record();
        student.Forward(images, features);
        return [.. trace.Calls.Select(call => call.Operator)];
    }

    protected override Tensor Compute(int index, Operator op, ReadOnlySpan<Argument> arguments)
    {
        if (IsMove(op.Name)) return op.Call(arguments);
        index = Recorded(index, op.Name);
        // The convolution before has done it.
        if (folded.Contains(index)) return arguments[0].Tensor!;
        using var scope = TensorScope.Open();
        var result = points.Layers.Contains(index) ? Layer(index, op, arguments) : op.Call(arguments);
        return scope.Keep(points.Tensors.ContainsKey(index) ? Rounded(index, result) : result);
    }

    static bool IsMove(string name) => moves.Contains(name.Split('.')[0]);

    // The number that the recording has for a call: the next one of its name, moves aside.
    int Recorded(int index, string name)
    {
        if (index <= last) next = 0;
        last = index;
        var place = Array.IndexOf(operators, name, next);
        if (place < 0) throw new InvalidOperationException($"{student.Name} calls {name}, which it did not when it was recorded");
        next = place + 1;
        return place;
    }

    Tensor Layer(int index, Operator op, ReadOnlySpan<Argument> arguments)
    {
        Argument[] given = arguments.ToArray();
        if (takesImages.Contains(index)) given[0] = Rounded(QuantizationPoints.Images, given[0].Tensor!);
        var (weight, bias) = (given[1].Tensor!, given.Length > 2 ? given[2].Tensor : null);
        if (folds.GetValueOrDefault(index) is { } fold) (weight, bias) = Folded(fold.Norm.Arguments, weight, bias);
        given[1] = Functional.FakeQuantize(weight, Scales(weight), 0, -Int8Graph.LargestWeight, Int8Graph.LargestWeight);
        if (given.Length > 2) given[2] = bias;
        // With all arguments given, the project's own kernels take them as they are.
        return (op.Name == "aten::conv2d" && given.Length == 7 ? convolution : op).Call(given);
    }

    // What NormFold does, with gradients to gain and shift.
    static (Tensor Weight, Tensor Bias) Folded(Argument[] norm, Tensor weight, Tensor? bias)
    {
        var (mean, variance, epsilon) = (norm[3].Tensor!, norm[4].Tensor!, norm[7].Real);
        var s = (variance + epsilon).Sqrt().Reciprocal();
        if (norm[1].Tensor is { } gain) s *= gain;
        var shifted = (bias is null ? -mean : bias - mean) * s;
        if (norm[2].Tensor is { } shift) shifted += shift;
        return (weight * s.Reshape(-1, 1, 1, 1), shifted);
    }

    // As Int8Graph.Scales has them, by output channel.
    static Tensor Scales(Tensor weight)
    {
        using var off = Autograd.NoGrad();
        var sizes = weight.Detach().Abs().Flatten(1);
        var (largest, _) = sizes.TopK(Math.Min(2, sizes.Size(1)), 1);
        return clampMin.Call(largest.Sum(1) / Int8Graph.LargestPair, 1e-20);
    }

    Tensor Rounded(int point, Tensor values)
    {
        if (Learns) Follow(point, values);
        var range = Range(point) ?? throw new InvalidOperationException("a range is asked for before the first step has shown it");
        var rounded = new ActivationRange(range.Low, range.High);
        return Functional.FakeQuantize(values, rounded.Scale, rounded.ZeroPoint, byte.MinValue, byte.MaxValue);
    }

    TrainedRange? Range(int point) => student.TrainedRanges?.FirstOrDefault(range => range.Call == point);

    void Follow(int point, Tensor values)
    {
        using var off = Autograd.NoGrad();
        var seen = new TrainedRange(point, MathF.Min(0, (float)values.Min().Item()), MathF.Max(0, (float)values.Max().Item()));
        if (Range(point) is { } known)
            seen = new(point, known.Low + Momentum * (seen.Low - known.Low), known.High + Momentum * (seen.High - known.High));
        student.TrainedRanges = [.. (student.TrainedRanges ?? []).Where(range => range.Call != point), seen];
    }
}
