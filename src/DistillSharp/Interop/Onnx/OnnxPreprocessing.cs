using DistillSharp.Data;
using DistillSharp.Interop.Onnx.Messages;

namespace DistillSharp.Interop.Onnx;

/// <summary>
/// Images as decoders give them to what a network takes, as operators of a graph: what <see cref="ImageScaling.FitCenter"/> and
/// <see cref="Normalization"/> do, in the same order and with the same roundings.
/// </summary>
static class OnnxPreprocessing
{
    /// <summary>
    /// Scales the shorter side, cuts the middle out, normalizes: from the name of images, uint8 [N, H, W, 3], to that of images, float32
    /// [N, 3, height, width].
    /// </summary>
    public static string Add(OnnxGraph graph, string pixels, Size2 size, int shorter, Normalization normalization)
    {
        var planes = graph.Node("Transpose", [pixels], OnnxGraph.Ints("perm", [0, 3, 1, 2]));
        var fitted = FitCenter(graph, planes, size, shorter);
        var cast = graph.Node("Cast", [fitted], OnnxGraph.Int("to", (long)TensorProto.Types.DataType.Float));
        long[] perChannel = [1, 3, 1, 1];
        var unit = graph.Node("Div", [cast, graph.Number(255)]);
        var centered = graph.Node("Sub", [unit, graph.Constant("normalization.mean", perChannel, normalization.Mean)]);
        return graph.Node("Div", [centered, graph.Constant("normalization.std", perChannel, normalization.Std)]);
    }

    static string FitCenter(OnnxGraph graph, string planes, Size2 size, int shorter)
    {
        var sides = graph.Node("Shape", [planes], OnnxGraph.Int("start", 2));
        // Whole numbers: the shorter side becomes exactly what was asked for, the longer one is cut to whole pixels.
        var scaled = graph.Node("Div", [graph.Node("Mul", [sides, graph.Sizes(shorter)]), graph.Node("ReduceMin", [sides])]);
        var all = graph.Node("Concat", [graph.Node("Shape", [planes], OnnxGraph.Int("end", 2)), scaled], OnnxGraph.Int("axis", 0));
        var resized = graph.Node("Resize", [planes, "", "", all], OnnxGraph.Text("mode", "linear"), OnnxGraph.Int("antialias", 1));
        var target = graph.Sizes(size.Height, size.Width);
        var margin = graph.Node("Cast", [graph.Node("Sub", [scaled, target])], OnnxGraph.Int("to", (long)TensorProto.Types.DataType.Float));
        // Round takes the even neighbor of a half, as .NET's does.
        var half = graph.Node("Round", [graph.Node("Mul", [margin, graph.Number(.5)])]);
        var start = graph.Node("Cast", [half], OnnxGraph.Int("to", (long)TensorProto.Types.DataType.Int64));
        return graph.Node("Slice", [resized, start, graph.Node("Add", [start, target]), graph.Sizes(2, 3)]);
    }
}
