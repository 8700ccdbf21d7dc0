namespace DistillSharp.Torch;

// What changes the tensor itself. Each operator is one line: its schema's name beside its call.
public sealed partial class Tensor
{
    static readonly Operator copyInPlace = new("aten::copy_"), fillInPlace = new("aten::fill_.Scalar");
    static readonly Operator addInPlace = new("aten::add_.Tensor"), addScalarInPlace = new("aten::add_.Scalar");
    static readonly Operator mulScalarInPlace = new("aten::mul_.Scalar");
    static readonly Operator indexCopyInPlace = new("aten::index_copy_"), normalInPlace = new("aten::normal_");
    static readonly Operator uniformInPlace = new("aten::uniform_");

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
