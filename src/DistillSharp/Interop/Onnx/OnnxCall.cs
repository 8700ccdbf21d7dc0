namespace DistillSharp.Interop.Onnx;

/// <summary>One recorded operator, as its translation sees it.</summary>
sealed class OnnxCall(OnnxGraph graph, NetworkTrace trace, int index, NormFold? fold)
{
    public OnnxGraph Graph => graph;

    /// <summary>Of a convolution: the batch norm that goes into it; of such a batch norm: the convolution that it went into.</summary>
    public NormFold? Fold => fold;

    public TracedCall Traced { get; } = trace.Calls[index];

    /// <summary>An argument; None where it was left to its default.</summary>
    public Argument this[int argument] => argument < Traced.Arguments.Length ? Traced.Arguments[argument] : Argument.None;

    public bool Has(int argument) => !this[argument].IsNone;

    /// <summary>The name of a tensor argument.</summary>
    public string In(int argument) => graph.NameOf(this[argument].Tensor
        ?? throw new UserException($"argument {argument + 1} is not a tensor"));

    public IReadOnlyList<long> Shape(int argument) => this[argument].Tensor!.Shape;

    /// <summary>A dimension, counted from the front.</summary>
    public long Dimension(int argument, long count) => this[argument].Integer is var given && given < 0 ? given + count : given;

    /// <summary>A size of two numbers given as one or two; the default where it was left out or empty.</summary>
    public (long Height, long Width) Pair(int argument, long otherwise) => this[argument].Integers switch
    {
        [var both] => (both, both),
        [var height, var width] => (height, width),
        _ => (otherwise, otherwise),
    };

    /// <summary>Adds a node that gives the call's one result.</summary>
    public void Node(string type, string[] inputs, params Messages.AttributeProto[] attributes) =>
        Result(graph.Node(type, inputs, attributes));

    /// <summary>The number of images in the batch, as a list of one.</summary>
    public string Batch() => graph.Node("Slice", [graph.Node("Shape", [graph.NameOf(trace.Input)]), graph.Sizes(0), graph.Sizes(1)]);

    public void Result(string name) => graph.Bind(Traced.Results[0], name);

    /// <summary>The shape of the call's one result for a Reshape: -1 where the batch stands.</summary>
    /// <exception cref="UserException">The batch is mixed with another dimension.</exception>
    public long[] Target()
    {
        var shape = (long[])Traced.Shapes[0].Clone();
        for (var dimension = 0; dimension < shape.Length; dimension++)
        {
            if (!trace.IsBatch(index, 0, dimension)) continue;
            shape[dimension] = dimension == 0 ? -1
                : throw new UserException($"dimension {dimension} of its result grows with the batch, where only the first may");
        }
        return shape;
    }
}
