namespace DistillSharp.Interop.Onnx;

// Operators that move elements without changing them.
static partial class OnnxOperators
{
    static void Reshape(OnnxCall call) => call.Node("Reshape", [call.In(0), call.Graph.Sizes(call.Target())]);

    static void Flatten(OnnxCall call)
    {
        var rank = call.Shape(0).Count;
        var wholeImages = call.Dimension(1, rank) == 1 && (!call.Has(2) || call.Dimension(2, rank) == rank - 1);
        if (wholeImages) call.Node("Flatten", [call.In(0)], OnnxGraph.Int("axis", 1));
        else Reshape(call);
    }

    static void Transpose(OnnxCall call)
    {
        var rank = call.Shape(0).Count;
        long[] order = [.. Enumerable.Range(0, rank)];
        var (first, second) = (call.Dimension(1, rank), call.Dimension(2, rank));
        (order[first], order[second]) = (order[second], order[first]);
        call.Node("Transpose", [call.In(0)], OnnxGraph.Ints("perm", order));
    }

    static void Permute(OnnxCall call)
    {
        var rank = call.Shape(0).Count;
        call.Node("Transpose", [call.In(0)], OnnxGraph.Ints("perm", call[1].Integers!.Select(d => d < 0 ? d + rank : d)));
    }

    static void Expand(OnnxCall call)
    {
        var (sizes, graph) = (call.Target(), call.Graph);
        var shape = sizes[0] != -1 ? graph.Sizes(sizes)
            : graph.Node("Concat", [call.Batch(), graph.Sizes(sizes.AsSpan(1))], OnnxGraph.Int("axis", 0));
        call.Node("Expand", [call.In(0), shape]);
    }

    static void Concatenate(OnnxCall call) =>
        call.Node("Concat", [.. call[0].Tensors!.Select(tensor => call.Graph.NameOf(tensor!))], OnnxGraph.Int("axis", call[1].Integer));

    static void Split(OnnxCall call, Argument dimension)
    {
        var axis = (int)(dimension.Integer is var given && given < 0 ? given + call.Shape(0).Count : given);
        if (axis == 0) throw new UserException("it splits the batch");
        var results = call.Traced.Results;
        var sizes = call.Graph.Sizes([.. call.Traced.Shapes.Select(shape => shape[axis])]);
        var names = call.Graph.Nodes("Split", [call.In(0), sizes], results.Length, OnnxGraph.Int("axis", axis));
        for (var i = 0; i < results.Length; i++) call.Graph.Bind(results[i], names[i]);
    }

    static void Narrow(OnnxCall call)
    {
        var axis = call.Dimension(1, call.Shape(0).Count);
        if (axis == 0) throw new UserException("it splits the batch");
        var start = call.Dimension(2, call.Shape(0)[(int)axis]);
        call.Node("Slice", [call.In(0), call.Graph.Sizes(start), call.Graph.Sizes(start + call[3].Integer), call.Graph.Sizes(axis)]);
    }

    static void Select(OnnxCall call)
    {
        var axis = call.Dimension(1, call.Shape(0).Count);
        if (axis == 0) throw new UserException("it takes one image out of the batch");
        call.Node("Gather", [call.In(0), call.Graph.Index(call.Dimension(2, call.Shape(0)[(int)axis]))], OnnxGraph.Int("axis", axis));
    }
}
