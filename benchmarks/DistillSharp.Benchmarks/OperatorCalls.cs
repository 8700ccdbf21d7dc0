using BenchmarkDotNet.Attributes;
using DistillSharp.Torch;

namespace DistillSharp.Benchmarks;

/// <summary>What a call costs beside its arithmetic, of which there is next to none here: one element.</summary>
[MemoryDiagnoser]
public class OperatorCalls
{
    static readonly Operator zero = new("aten::zero_"), isNonzero = new("aten::is_nonzero");

    readonly Tensor one = Tensor.Scalar(1).Unscoped(), other = Tensor.Scalar(1).Unscoped();

    /// <summary>Nothing is made and one number is written: the cost of a call.</summary>
    [Benchmark(Baseline = true)]
    public void InPlace() => zero.CallInPlace(one);

    /// <summary>An operator that reads a number.</summary>
    [Benchmark]
    public bool Answer() => isNonzero.CallBool(other);

    /// <summary>Two tensors come together, in place; the arithmetic goes through libtorch's loops.</summary>
    [Benchmark]
    public void AddInPlace() => one.AddInPlace(other);

    /// <summary>A tensor is made, put in a scope and freed with it.</summary>
    [Benchmark]
    public void NewTensor()
    {
        using var scope = TensorScope.Open();
        _ = one + other;
    }

    /// <summary>A number comes back, without an operator.</summary>
    [Benchmark]
    public double ScalarRead() => other.Item();

    /// <summary>A shape that is known already.</summary>
    [Benchmark]
    public int ShapeRead() => one.Dimensions;
}
