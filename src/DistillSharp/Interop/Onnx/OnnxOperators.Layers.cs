using DistillSharp.Interop.Onnx.Messages;

namespace DistillSharp.Interop.Onnx;

// Operators with windows or weights.
static partial class OnnxOperators
{
    static void Convolution(OnnxCall call)
    {
        var weight = call[1].Tensor!;
        call.Node("Conv", call.Fold is { } fold ? Folded(call, fold) : Weighted(call),
            OnnxGraph.Ints("kernel_shape", [weight.Size(2), weight.Size(3)]), Two("strides", call.Pair(3, 1)), Pads(call.Pair(4, 0)),
            Two("dilations", call.Pair(5, 1)), OnnxGraph.Int("group", call.Has(6) ? call[6].Integer : 1));
    }

    static string[] Folded(OnnxCall call, NormFold fold)
    {
        using var scope = TensorScope.Open();
        var (graph, (weight, bias)) = (call.Graph, fold.Fold());
        // A weight that two convolutions share is folded into each of them differently.
        var name = $"{graph.StateName(call[1].Tensor!) ?? "weight"}.{graph.StateName(fold.Norm.Arguments[3].Tensor!) ?? "norm"}";
        return [call.In(0), graph.Constant(name, weight.Shape, weight.ToArray<float>()),
            graph.Constant($"{name}.bias", bias.Shape, bias.ToArray<float>())];
    }

    static void TransposedConvolution(OnnxCall call)
    {
        var weight = call[1].Tensor!;
        call.Node("ConvTranspose", Weighted(call),
            OnnxGraph.Ints("kernel_shape", [weight.Size(2), weight.Size(3)]), Two("strides", call.Pair(3, 1)), Pads(call.Pair(4, 0)),
            Two("output_padding", call.Pair(5, 0)), OnnxGraph.Int("group", call.Has(6) ? call[6].Integer : 1),
            Two("dilations", call.Pair(7, 1)));
    }

    static void Linear(OnnxCall call)
    {
        string Transposed() => call.Graph.Node("Transpose", [call.In(1)], OnnxGraph.Ints("perm", [1, 0]));
        string Product() => call.Graph.Node("MatMul", [call.In(0), Transposed()]);
        if (call.Shape(0).Count == 2) call.Node("Gemm", Weighted(call), OnnxGraph.Int("transB", 1));
        else if (call.Has(2)) call.Node("Add", [Product(), call.In(2)]);
        else call.Result(Product());
    }

    // ONNX has it as one operator since 17.
    static void LayerNorm(OnnxCall call)
    {
        var graph = call.Graph;
        if (call[1].Integers is not [_]) throw new UserException("a layer norm over several dimensions");
        if (!call.Has(2) || !call.Has(3)) throw new UserException("a layer norm without scale or shift");
        if (graph.Opset >= 17)
        {
            var epsilon = OnnxGraph.Float("epsilon", call[4].Real);
            call.Node("LayerNormalization", [call.In(0), call.In(2), call.In(3)], OnnxGraph.Int("axis", -1), epsilon);
            return;
        }
        string Mean(string x) => graph.Node("ReduceMean", [x], OnnxGraph.Ints("axes", [-1]), OnnxGraph.Int("keepdims", 1));
        var centered = graph.Node("Sub", [call.In(0), Mean(call.In(0))]);
        var variance = Mean(graph.Node("Mul", [centered, centered]));
        var normalized = graph.Node("Div", [centered, graph.Node("Sqrt", [graph.Node("Add", [variance, graph.Number(call[4].Real)])])]);
        call.Node("Add", [graph.Node("Mul", [normalized, call.In(2)]), call.In(3)]);
    }

    static void BatchNorm(OnnxCall call)
    {
        if (call.Fold is null && call[5].Integer != 0)
            throw new UserException("a batch norm uses the statistics of the batch, even in evaluation mode");
        long channels = call.Shape(3)[0];
        string Given(int argument, string name, float otherwise) => call.Has(argument)
            ? call.In(argument)
            : call.Graph.Constant($"{name}_{channels}", [channels], Enumerable.Repeat(otherwise, (int)channels).ToArray());
        string[] Inputs() => [call.In(0), Given(1, "ones", 1), Given(2, "zeros", 0), call.In(3), call.In(4)];
        if (call.Fold is not null) Same(call);
        else call.Node("BatchNormalization", Inputs(), OnnxGraph.Float("epsilon", call[7].Real));
    }

    static void AveragePool(OnnxCall call)
    {
        var kernel = call.Pair(1, 1);
        var padding = call.Pair(3, 0);
        if (call.Has(6)) throw new UserException("an average pooling divides by a number of its own, which ONNX cannot express");
        // Where the border does not count, libtorch's argument 6 says so; it counts unless said.
        var counts = !call.Has(5) || call[5].Integer != 0;
        if (padding == (0, 0) && kernel == (call.Shape(0)[2], call.Shape(0)[3])) call.Node("GlobalAveragePool", [call.In(0)]);
        else call.Node("AveragePool", [call.In(0)], Two("kernel_shape", kernel), Two("strides", Stride(call, kernel)), Pads(padding),
            OnnxGraph.Int("ceil_mode", call[4].Integer), OnnxGraph.Int("count_include_pad", counts ? 1 : 0));
    }

    static void MaxPool(OnnxCall call)
    {
        var kernel = call.Pair(1, 1);
        call.Node("MaxPool", [call.In(0)], Two("kernel_shape", kernel), Two("strides", Stride(call, kernel)), Pads(call.Pair(3, 0)),
            Two("dilations", call.Pair(4, 1)), OnnxGraph.Int("ceil_mode", call[5].Integer));
    }

    static void AdaptiveAveragePool(OnnxCall call)
    {
        var (height, width) = (call.Shape(0)[2], call.Shape(0)[3]);
        var size = call.Pair(1, 1);
        if (height % size.Height != 0 || width % size.Width != 0)
            throw new UserException(
                $"an adaptive pooling makes {size.Height}x{size.Width} of {height}x{width}, which takes windows of different sizes");
        var window = (height / size.Height, width / size.Width);
        if (size == (1, 1)) call.Node("GlobalAveragePool", [call.In(0)]);
        else call.Node("AveragePool", [call.In(0)], Two("kernel_shape", window), Two("strides", window));
    }

    // What comes in, the weight, and the bias where there is one.
    static string[] Weighted(OnnxCall call) => call.Has(2) ? [call.In(0), call.In(1), call.In(2)] : [call.In(0), call.In(1)];

    static (long, long) Stride(OnnxCall call, (long, long) kernel) => call[2].Integers is { Count: > 0 } ? call.Pair(2, 1) : kernel;

    static AttributeProto Two(string name, (long Height, long Width) size) => OnnxGraph.Ints(name, [size.Height, size.Width]);

    static AttributeProto Pads((long Height, long Width) padding) =>
        OnnxGraph.Ints("pads", [padding.Height, padding.Width, padding.Height, padding.Width]);
}
