namespace DistillSharp.Torch;

// What is computed from all elements, or from all along a dimension. Each operator is one line: its schema's name beside its call.
public sealed partial class Tensor
{
    static readonly Operator sum = new("aten::sum"), sumDim = new("aten::sum.dim_IntList");
    static readonly Operator mean = new("aten::mean"), meanDim = new("aten::mean.dim");
    static readonly Operator norm = new("aten::linalg_vector_norm");
    static readonly Operator max = new("aten::max"), min = new("aten::min"), amax = new("aten::amax");
    static readonly Operator argmax = new("aten::argmax"), topk = new("aten::topk");
    static readonly Operator isfinite = new("aten::isfinite"), all = new("aten::all"), equal = new("aten::equal");

    /// <summary>Sum of all elements.</summary>
    public Tensor Sum() => sum.Call(this, Argument.None);

    /// <summary>Sums over dimensions.</summary>
    public Tensor Sum(long[] dimensions, bool keep = false) => sumDim.Call(this, dimensions, keep, Argument.None);

    /// <summary>Sums over one dimension.</summary>
    public Tensor Sum(long dimension, bool keep = false) => Sum([dimension], keep);

    /// <summary>Mean of all elements.</summary>
    public Tensor Mean() => mean.Call(this, Argument.None);

    /// <summary>Means over dimensions.</summary>
    public Tensor Mean(long[] dimensions, bool keep = false) => meanDim.Call(this, dimensions, keep, Argument.None);

    /// <summary>Means over one dimension.</summary>
    public Tensor Mean(long dimension, bool keep = false) => Mean([dimension], keep);

    /// <summary>The Euclidean norms along a dimension.</summary>
    public Tensor Norm(long dimension, bool keep = false) => norm.Call(this, 2.0, new[] { dimension }, keep, Argument.None);

    /// <summary>The largest element.</summary>
    public Tensor Max() => max.Call(this);

    /// <summary>The smallest element.</summary>
    public Tensor Min() => min.Call(this);

    /// <summary>The largest elements along a dimension.</summary>
    public Tensor Max(long dimension, bool keep = false) => amax.Call(this, new[] { dimension }, keep);

    /// <summary>Where along a dimension the largest elements stand (int64).</summary>
    public Tensor ArgMax(long dimension, bool keep = false) => argmax.Call(this, (long?)dimension, keep);

    /// <summary>The largest elements along a dimension, in falling order, and where they stand.</summary>
    public (Tensor Values, Tensor Indices) TopK(long count, long dimension = -1) => topk.Call2(this, count, dimension, true, true);

    /// <summary>Whether every element is finite.</summary>
    public bool AllFinite()
    {
        using var scope = TensorScope.Open();
        return all.Call(isfinite.Call(this)).Item() != 0;
    }

    /// <summary>Whether shape and all elements are the same.</summary>
    public bool SameAs(Tensor other) => equal.CallBool(this, other);
}
