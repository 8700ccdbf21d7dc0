namespace DistillSharp.Interop.Onnx;

/// <summary>What each operator of libtorch is in ONNX. An operator is one entry here.</summary>
static partial class OnnxOperators
{
    static readonly Dictionary<string, Action<OnnxCall>> translations = new()
    {
        ["aten::conv2d"] = Convolution,
        ["aten::conv_transpose2d.input"] = TransposedConvolution,
        ["aten::linear"] = Linear,
        ["aten::batch_norm"] = BatchNorm,
        ["aten::layer_norm"] = LayerNorm,
        ["aten::avg_pool2d"] = AveragePool,
        ["aten::max_pool2d"] = MaxPool,
        ["aten::adaptive_avg_pool2d"] = AdaptiveAveragePool,

        ["aten::relu"] = call => call.Node("Relu", [call.In(0)]),
        ["aten::leaky_relu"] = call => call.Node("LeakyRelu", [call.In(0)], OnnxGraph.Float("alpha", call.Has(1) ? call[1].Real : .01)),
        ["aten::sigmoid"] = call => call.Node("Sigmoid", [call.In(0)]),
        ["aten::tanh"] = call => call.Node("Tanh", [call.In(0)]),
        ["aten::silu"] = call => call.Node("Mul", [call.In(0), call.Graph.Node("Sigmoid", [call.In(0)])]),
        ["aten::gelu"] = Gelu,
        ["aten::hardswish"] = call => call.Node("Mul", [call.In(0), HardSigmoid(call)]),
        ["aten::hardsigmoid"] = call => call.Result(HardSigmoid(call)),
        ["aten::hardtanh"] = call => Clip(call, call.Has(1) ? call[1].Real : -1, call.Has(2) ? call[2].Real : 1),
        ["aten::clamp"] = call => Clip(call, call.Has(1) ? call[1].Real : null, call.Has(2) ? call[2].Real : null),
        ["aten::clamp_min"] = call => Clip(call, call[1].Real, null),
        ["aten::softmax.int"] = call => call.Node("Softmax", [call.In(0)], OnnxGraph.Int("axis", call[1].Integer)),
        ["aten::log_softmax.int"] = call => call.Node("LogSoftmax", [call.In(0)], OnnxGraph.Int("axis", call[1].Integer)),

        ["aten::add.Tensor"] = call => Sum(call, "Add"),
        ["aten::sub.Tensor"] = call => Sum(call, "Sub"),
        ["aten::mul.Tensor"] = call => call.Node("Mul", [call.In(0), call.In(1)]),
        ["aten::div.Tensor"] = call => call.Node("Div", [call.In(0), call.In(1)]),
        ["aten::add.Scalar"] = call => call.Node("Add", [call.In(0), call.Graph.Number(Scaled(call))]),
        ["aten::sub.Scalar"] = call => call.Node("Sub", [call.In(0), call.Graph.Number(Scaled(call))]),
        ["aten::mul.Scalar"] = call => call.Node("Mul", [call.In(0), call.Graph.Number(call[1].Real)]),
        ["aten::div.Scalar"] = call => call.Node("Div", [call.In(0), call.Graph.Number(call[1].Real)]),
        ["aten::neg"] = call => call.Node("Neg", [call.In(0)]),
        ["aten::abs"] = call => call.Node("Abs", [call.In(0)]),
        ["aten::sqrt"] = call => call.Node("Sqrt", [call.In(0)]),
        ["aten::exp"] = call => call.Node("Exp", [call.In(0)]),
        ["aten::log"] = call => call.Node("Log", [call.In(0)]),
        ["aten::reciprocal"] = call => call.Node("Reciprocal", [call.In(0)]),
        ["aten::pow.Tensor_Scalar"] = call => call.Node("Pow", [call.In(0), call.Graph.Number(call[1].Real)]),
        ["aten::matmul"] = call => call.Node("MatMul", [call.In(0), call.In(1)]),
        ["aten::mean.dim"] = call => Reduce(call, "ReduceMean"),
        ["aten::sum.dim_IntList"] = call => Reduce(call, "ReduceSum"),

        ["aten::flatten.using_ints"] = Flatten,
        ["aten::reshape"] = Reshape,
        ["aten::view"] = Reshape,
        ["aten::unsqueeze"] = Reshape,
        ["aten::squeeze.dim"] = Reshape,
        ["aten::transpose.int"] = Transpose,
        ["aten::permute"] = Permute,
        ["aten::expand"] = Expand,
        ["aten::cat"] = Concatenate,
        ["aten::chunk"] = call => Split(call, call[2]),
        ["aten::split.Tensor"] = call => Split(call, call[2]),
        ["aten::split_with_sizes"] = call => Split(call, call[2]),
        ["aten::narrow"] = Narrow,
        ["aten::select.int"] = Select,

        ["aten::contiguous"] = Same,
        ["aten::clone"] = Same,
        ["aten::detach"] = Same,
        ["aten::alias"] = Same,
        // In evaluation mode.
        ["aten::dropout"] = Same,
    };

    /// <summary>Adds the nodes of a call to its graph.</summary>
    /// <exception cref="UserException">There is no translation for this operator, or not with these arguments.</exception>
    public static void Translate(OnnxCall call)
    {
        var name = call.Traced.Operator;
        if (WorksInPlace(name)) name = name.Remove(BaseLength(name) - 1, 1);
        if (!translations.TryGetValue(name, out var translate)) throw new UserException("there is no translation for this operator");
        translate(call);
    }

    /// <summary>Whether an operator changes its first argument: its name then ends with an underscore.</summary>
    public static bool WorksInPlace(string name) => name[BaseLength(name) - 1] == '_';

    static int BaseLength(string name) => name.IndexOf('.') is var dot && dot < 0 ? name.Length : dot;

    static void Same(OnnxCall call) => call.Result(call.In(0));

    // The third argument of sums is a factor of the second.
    static double Scaled(OnnxCall call) => call[1].Real * (call.Has(2) ? call[2].Real : 1);

    static void Sum(OnnxCall call, string type)
    {
        var second = call.In(1);
        if (call.Has(2) && call[2].Real != 1) second = call.Graph.Node("Mul", [second, call.Graph.Number(call[2].Real)]);
        call.Node(type, [call.In(0), second]);
    }

    static void Clip(OnnxCall call, double? min, double? max)
    {
        string[] inputs = [call.In(0), min is { } low ? call.Graph.Number(low) : "", max is { } high ? call.Graph.Number(high) : ""];
        call.Node("Clip", max is null ? inputs[..2] : inputs);
    }

    static string HardSigmoid(OnnxCall call) =>
        call.Graph.Node("HardSigmoid", [call.In(0)], OnnxGraph.Float("alpha", 1 / 6.0), OnnxGraph.Float("beta", .5));

    // x (1 + erf(x / sqrt 2)) / 2: ONNX has it as one operator only since 20.
    static void Gelu(OnnxCall call)
    {
        if (call.Has(1)) throw new UserException("an approximated GELU");
        var graph = call.Graph;
        var error = graph.Node("Erf", [graph.Node("Mul", [call.In(0), call.Graph.Number(Math.Sqrt(.5))])]);
        call.Node("Mul", [graph.Node("Mul", [call.In(0), graph.Node("Add", [error, call.Graph.Number(1)])]), call.Graph.Number(.5)]);
    }

    static void Reduce(OnnxCall call, string type)
    {
        var keep = OnnxGraph.Int("keepdims", call[2].Integer);
        // The axes became an input in operator set 13 for sums, in 18 for means.
        if (type == "ReduceSum" || call.Graph.Opset >= 18) call.Node(type, [call.In(0), call.Graph.Sizes([.. call[1].Integers!])], keep);
        else call.Node(type, [call.In(0)], OnnxGraph.Ints("axes", call[1].Integers!), keep);
    }
}
