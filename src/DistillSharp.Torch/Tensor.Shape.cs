namespace DistillSharp.Torch;

// Views, copies, choices and conversions. Each operator is one line: its schema's name beside its call.
public sealed partial class Tensor
{
    static readonly Operator transpose = new("aten::transpose.int"), permute = new("aten::permute");
    static readonly Operator reshape = new("aten::reshape"), flatten = new("aten::flatten.using_ints");
    static readonly Operator unsqueeze = new("aten::unsqueeze"), squeeze = new("aten::squeeze.dim"), expand = new("aten::expand");
    static readonly Operator narrow = new("aten::narrow"), select = new("aten::select.int"), diagonal = new("aten::diagonal");
    static readonly Operator indexSelect = new("aten::index_select"), indexAdd = new("aten::index_add");
    static readonly Operator gather = new("aten::gather"), unique = new("aten::_unique2");
    static readonly Operator cat = new("aten::cat"), stack = new("aten::stack"), chunk = new("aten::chunk");
    static readonly Operator contiguous = new("aten::contiguous"), clone = new("aten::clone"), detach = new("aten::detach");
    static readonly Operator toType = new("aten::to.dtype"), toDevice = new("aten::to.device");

    /// <summary>Exchanges two dimensions (a view).</summary>
    public Tensor Transpose(long first = 0, long second = 1) => transpose.Call(this, first, second);

    /// <summary>Reorders the dimensions (a view).</summary>
    public Tensor Permute(params long[] order) => permute.Call(this, order);

    /// <summary>The same elements in another shape; one size may be -1. Copies where it must.</summary>
    public Tensor Reshape(params long[] shape) => reshape.Call(this, shape);

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

    /// <summary>The tensor with the rows (or other slices) of a source added at the places of an int64 index along a dimension.</summary>
    public Tensor IndexAdd(long dimension, Tensor index, Tensor source) => indexAdd.Call(this, dimension, index, source);

    /// <summary>The diagonal of a matrix (a view): [min(N, M)] of [N, M].</summary>
    public Tensor Diagonal() => diagonal.Call(this);

    /// <summary>Which values there are, rising; the place of each element's value among them; how often each occurs (int64).</summary>
    public (Tensor Values, Tensor Places, Tensor Counts) Unique()
    {
        var (values, places, counts) = unique.Call3(this, true, true, true);
        return (values, places!, counts!);
    }

    /// <summary>Joins tensors along a dimension.</summary>
    public static Tensor Cat(Tensor[] tensors, long dimension = 0) => cat.Call(tensors, dimension);

    /// <summary>Stacks tensors of one shape along a new dimension.</summary>
    public static Tensor Stack(Tensor[] tensors, long dimension = 0) => stack.Call(tensors, dimension);

    /// <summary>Cuts a dimension into that many parts (views).</summary>
    public Tensor[] Chunk(int parts, long dimension = 0) => chunk.CallList(parts, this, (long)parts, dimension);

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
}
