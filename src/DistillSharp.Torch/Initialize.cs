namespace DistillSharp.Torch;

/// <summary>Initial values, as the public PyTorch implementations draw them. Each returns the tensor it filled.</summary>
public static class Initialize
{
    [ThreadStatic]
    static bool skipped;

    /// <summary>Until disposed, nothing is drawn on this thread: for networks whose values are loaded or never looked at.</summary>
    public static Skipping Skip() => new(skipped);

    /// <summary>Ends with <see cref="Dispose"/> what <see cref="Skip"/> began.</summary>
    public readonly struct Skipping : IDisposable
    {
        readonly bool before;

        internal Skipping(bool before) => (this.before, skipped) = (before, true);

        /// <summary>Goes back to how it was.</summary>
        public void Dispose() => skipped = before;
    }

    /// <summary>Normal with deviation sqrt(2 / fan-out), fan-out = outputs * kernel area (He 2015, for networks with ReLU).</summary>
    public static Tensor KaimingNormalFanOut(Tensor weight)
    {
        if (skipped) return weight;
        using var off = Autograd.NoGrad();
        var fanOut = weight.Size(0) * Area(weight);
        return weight.NormalInPlace(0, Math.Sqrt(2.0 / fanOut));
    }

    /// <summary>Uniform within 1 / sqrt(fan-in): PyTorch's default for linear layers and convolutions (Kaiming with a = sqrt 5).</summary>
    public static Tensor KaimingUniform(Tensor weight) => UniformByFanIn(weight, weight);

    /// <summary>Uniform within sqrt(6 / ((1 + slope^2) fan-in)) (He 2015, for a leaky ReLU of that slope).</summary>
    public static Tensor KaimingUniform(Tensor weight, double slope)
    {
        using var off = Autograd.NoGrad();
        var bound = Math.Sqrt(6 / ((1 + slope * slope) * weight.Size(1) * Area(weight)));
        return weight.UniformInPlace(-bound, bound);
    }

    /// <summary>Uniform within 1 / sqrt(fan-in of a weight): PyTorch's default for the bias beside it.</summary>
    public static Tensor UniformByFanIn(Tensor tensor, Tensor weight)
    {
        if (skipped) return tensor;
        using var off = Autograd.NoGrad();
        var bound = 1 / Math.Sqrt(weight.Size(1) * Area(weight));
        return tensor.UniformInPlace(-bound, bound);
    }

    static long Area(Tensor weight) => weight.Shape.Skip(2).Aggregate(1L, (area, size) => area * size);
}
