namespace DistillSharp.Torch;

// Each operator is one line: its schema's name beside its call.
public sealed partial class Tensor
{
    static readonly Operator addTensor = new("aten::add.Tensor"), addScalar = new("aten::add.Scalar");
    static readonly Operator subTensor = new("aten::sub.Tensor"), subScalar = new("aten::sub.Scalar"), rsub = new("aten::rsub.Scalar");
    static readonly Operator mulTensor = new("aten::mul.Tensor"), mulScalar = new("aten::mul.Scalar");
    static readonly Operator divTensor = new("aten::div.Tensor"), divScalar = new("aten::div.Scalar");
    static readonly Operator neg = new("aten::neg"), abs = new("aten::abs"), sqrt = new("aten::sqrt"), exp = new("aten::exp"), log = new("aten::log");
    static readonly Operator pow = new("aten::pow.Tensor_Scalar"), clamp = new("aten::clamp"), reciprocal = new("aten::reciprocal");
    static readonly Operator matmul = new("aten::matmul"), transpose = new("aten::transpose.int"), permute = new("aten::permute");
    static readonly Operator reshape = new("aten::reshape"), view = new("aten::view"), flatten = new("aten::flatten.using_ints");
    static readonly Operator unsqueeze = new("aten::unsqueeze"), squeeze = new("aten::squeeze.dim"), expand = new("aten::expand");
    static readonly Operator narrow = new("aten::narrow"), select = new("aten::select.int"), indexSelect = new("aten::index_select");
    static readonly Operator gather = new("aten::gather"), cat = new("aten::cat"), stack = new("aten::stack"), chunk = new("aten::chunk");
    static readonly Operator sum = new("aten::sum"), sumDim = new("aten::sum.dim_IntList"), mean = new("aten::mean"), meanDim = new("aten::mean.dim");
    static readonly Operator max = new("aten::max"), min = new("aten::min"), amax = new("aten::amax"), argmax = new("aten::argmax"), topk = new("aten::topk");
    static readonly Operator eqTensor = new("aten::eq.Tensor"), eqScalar = new("aten::eq.Scalar"), gtScalar = new("aten::gt.Scalar"), ltScalar = new("aten::lt.Scalar");
    static readonly Operator where = new("aten::where.self"), maskedFill = new("aten::masked_fill.Scalar"), isfinite = new("aten::isfinite"), all = new("aten::all");
    static readonly Operator contiguous = new("aten::contiguous"), clone = new("aten::clone"), detach = new("aten::detach");
    static readonly Operator toType = new("aten::to.dtype"), toDevice = new("aten::to.device");
    static readonly Operator copyInPlace = new("aten::copy_"), fillInPlace = new("aten::fill_.Scalar"), addInPlace = new("aten::add_.Tensor");
    static readonly Operator addScalarInPlace = new("aten::add_.Scalar"), mulScalarInPlace = new("aten::mul_.Scalar");
    static readonly Operator indexCopyInPlace = new("aten::index_copy_"), normalInPlace = new("aten::normal_"), uniformInPlace = new("aten::uniform_");
    static readonly Operator equal = new("aten::equal");

    /// <summary>Elementwise sum, with broadcasting.</summary>
    public static Tensor operator +(Tensor a, Tensor b) => addTensor.Call(a, b);

    /// <summary>Adds a number to each element.</summary>
    public static Tensor operator +(Tensor a, double b) => addScalar.Call(a, b);

    /// <summary>Elementwise difference, with broadcasting.</summary>
    public static Tensor operator -(Tensor a, Tensor b) => subTensor.Call(a, b);

    /// <summary>Subtracts a number from each element.</summary>
    public static Tensor operator -(Tensor a, double b) => subScalar.Call(a, b);

    /// <summary>Subtracts each element from a number.</summary>
    public static Tensor operator -(double a, Tensor b) => rsub.Call(b, a);

    /// <summary>The negative of each element.</summary>
    public static Tensor operator -(Tensor a) => neg.Call(a);

    /// <summary>Elementwise product, with broadcasting.</summary>
    public static Tensor operator *(Tensor a, Tensor b) => mulTensor.Call(a, b);

    /// <summary>Multiplies each element by a number.</summary>
    public static Tensor operator *(Tensor a, double b) => mulScalar.Call(a, b);

    /// <summary>Multiplies each element by a number.</summary>
    public static Tensor operator *(double a, Tensor b) => mulScalar.Call(b, a);

    /// <summary>Elementwise quotient, with broadcasting.</summary>
    public static Tensor operator /(Tensor a, Tensor b) => divTensor.Call(a, b);

    /// <summary>Divides each element by a number.</summary>
    public static Tensor operator /(Tensor a, double b) => divScalar.Call(a, b);

    /// <summary>Absolute values.</summary>
    public Tensor Abs() => abs.Call(this);

    /// <summary>Square roots.</summary>
    public Tensor Sqrt() => sqrt.Call(this);

    /// <summary>Exponentials.</summary>
    public Tensor Exp() => exp.Call(this);

    /// <summary>Natural logarithms.</summary>
    public Tensor Log() => log.Call(this);

    /// <summary>Each element to that power.</summary>
    public Tensor Pow(double exponent) => pow.Call(this, exponent);

    /// <summary>One over each element.</summary>
    public Tensor Reciprocal() => reciprocal.Call(this);

    /// <summary>Limits each element to a range; a bound may be left out.</summary>
    public Tensor Clamp(double? min = null, double? max = null) =>
        clamp.Call(this, min is { } low ? low : Argument.None, max is { } high ? high : Argument.None);

    /// <summary>Matrix product, batched over leading dimensions.</summary>
    public Tensor MatMul(Tensor other) => matmul.Call(this, other);

    /// <summary>Exchanges two dimensions (a view).</summary>
    public Tensor Transpose(long first = 0, long second = 1) => transpose.Call(this, first, second);

    /// <summary>Reorders the dimensions (a view).</summary>
    public Tensor Permute(params long[] order) => permute.Call(this, order);

    /// <summary>The same elements in another shape; one size may be -1. Copies where it must.</summary>
    public Tensor Reshape(params long[] shape) => reshape.Call(this, shape);

    /// <summary>The same memory in another shape.</summary>
    public Tensor View(params long[] shape) => view.Call(this, shape);

    /// <summary>Joins the dimensions from first to last into one.</summary>
    public Tensor Flatten(long first = 0, long last = -1) => flatten.Call(this, first, last);

    /// <summary>Inserts a dimension of size 1 (a view).</summary>
    public Tensor Unsqueeze(long dimension) => unsqueeze.Call(this, dimension);

    /// <summary>Removes a dimension of size 1 (a view).</summary>
    public Tensor Squeeze(long dimension) => squeeze.Call(this, dimension);

    /// <summary>Repeats dimensions of size 1 without copying (a view).</summary>
    public Tensor Expand(params long[] shape) => expand.Call(this, shape, false);

    /// <summary>A stretch of one dimension (a view).</summary>
    public Tensor Narrow(long dimension, long start, long length) => narrow.Call(this, dimension, start, length);

    /// <summary>One slice of a dimension, which disappears (a view).</summary>
    public Tensor Select(long dimension, long index) => select.Call(this, dimension, index);

    /// <summary>Rows (or other slices) chosen by an int64 index.</summary>
    public Tensor IndexSelect(long dimension, Tensor index) => indexSelect.Call(this, dimension, index);

    /// <summary>out[i, j] = this[i, index[i, j]] along a dimension.</summary>
    public Tensor Gather(long dimension, Tensor index) => gather.Call(this, dimension, index, false);

    /// <summary>Joins tensors along a dimension.</summary>
    public static Tensor Cat(Tensor[] tensors, long dimension = 0) => cat.Call(tensors, dimension);

    /// <summary>Stacks tensors of one shape along a new dimension.</summary>
    public static Tensor Stack(Tensor[] tensors, long dimension = 0) => stack.Call(tensors, dimension);

    /// <summary>Cuts a dimension into that many parts (views).</summary>
    public Tensor[] Chunk(int parts, long dimension = 0) => chunk.CallList(parts, this, (long)parts, dimension);

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

    /// <summary>Elementwise equality (bool).</summary>
    public Tensor EqualTo(Tensor other) => eqTensor.Call(this, other);

    /// <summary>Which elements equal a number (bool).</summary>
    public Tensor EqualTo(double value) => eqScalar.Call(this, value);

    /// <summary>Which elements are greater than a number (bool).</summary>
    public Tensor GreaterThan(double value) => gtScalar.Call(this, value);

    /// <summary>Which elements are less than a number (bool).</summary>
    public Tensor LessThan(double value) => ltScalar.Call(this, value);

    /// <summary>Elements of one tensor where the condition (bool) holds, of the other elsewhere.</summary>
    public static Tensor Where(Tensor condition, Tensor yes, Tensor no) => where.Call(condition, yes, no);

    /// <summary>Replaces the elements where the mask (bool) holds.</summary>
    public Tensor MaskedFill(Tensor mask, double value) => maskedFill.Call(this, mask, value);

    /// <summary>Whether every element is finite.</summary>
    public bool AllFinite()
    {
        using var scope = TensorScope.Open();
        return all.Call(isfinite.Call(this)).Item() != 0;
    }

    /// <summary>Whether shape and all elements are the same.</summary>
    public bool SameAs(Tensor other) => equal.CallBool(this, other);

    /// <summary>The tensor in that order of memory; itself where it already is.</summary>
    public Tensor Contiguous(MemoryFormat format = MemoryFormat.Contiguous) => contiguous.Call(this, format);

    /// <summary>A copy.</summary>
    public Tensor Clone(MemoryFormat format = MemoryFormat.Preserve) => clone.Call(this, format);

    /// <summary>The same elements without a link to the autograd graph.</summary>
    public Tensor Detach() => detach.Call(this);

    /// <summary>The tensor in that element type; itself where it already is.</summary>
    public Tensor To(DType type) => toType.Call(this, (DType?)type, false, false, Argument.None);

    /// <summary>The tensor on that device; itself where it already is.</summary>
    public Tensor To(Device device) => toDevice.Call(this, device, (DType?)DType, false, false, Argument.None);

    /// <summary>Copies another tensor's elements into this one.</summary>
    public Tensor CopyFrom(Tensor source) => InPlace(copyInPlace, source, false);

    /// <summary>Sets every element.</summary>
    public Tensor Fill(double value) => InPlace(fillInPlace, value);

    /// <summary>this += scale * other.</summary>
    public Tensor AddInPlace(Tensor other, double scale = 1) => InPlace(addInPlace, other, scale);

    /// <summary>this += value.</summary>
    public Tensor AddInPlace(double value) => InPlace(addScalarInPlace, value, 1L);

    /// <summary>this += value, for whole numbers too.</summary>
    public Tensor AddInPlace(long value) => InPlace(addScalarInPlace, value, 1L);

    /// <summary>this *= value.</summary>
    public Tensor MultiplyInPlace(double value) => InPlace(mulScalarInPlace, value);

    /// <summary>Writes slices of the source at the places of an int64 index along a dimension.</summary>
    public Tensor IndexCopyInPlace(long dimension, Tensor index, Tensor source) => InPlace(indexCopyInPlace, dimension, index, source);

    /// <summary>Fills with draws from a normal distribution.</summary>
    public Tensor NormalInPlace(double mean, double deviation) => InPlace(normalInPlace, mean, deviation);

    /// <summary>Fills with draws from a uniform distribution.</summary>
    public Tensor UniformInPlace(double from, double to) => InPlace(uniformInPlace, from, to);

    Tensor InPlace(Operator op, Argument a) { op.CallInPlace(this, a); return this; }

    Tensor InPlace(Operator op, Argument a, Argument b) { op.CallInPlace(this, a, b); return this; }

    Tensor InPlace(Operator op, Argument a, Argument b, Argument c) { op.CallInPlace(this, a, b, c); return this; }
}
