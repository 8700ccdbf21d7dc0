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

    internal static bool IsSkipped => skipped;

    /// <summary>Normal around 0.</summary>
    public static Tensor Normal(Tensor tensor, double deviation)
    {
        if (skipped) return tensor;
        using var off = Autograd.NoGrad();
        return tensor.NormalInPlace(0, deviation);
    }

    /// <summary>Uniform within a bound on both sides of 0.</summary>
    public static Tensor Uniform(Tensor tensor, double bound)
    {
        if (skipped) return tensor;
        using var off = Autograd.NoGrad();
        return tensor.UniformInPlace(-bound, bound);
    }

    /// <summary>Normal with deviation sqrt(2 / fan-out), fan-out = outputs * kernel area (He 2015, for networks with ReLU).</summary>
    public static Tensor KaimingNormalFanOut(Tensor weight) => Normal(weight, Math.Sqrt(2.0 / (weight.Size(0) * Area(weight))));

    /// <summary>Normal with deviation sqrt(2 / fan-in), fan-in = inputs * kernel area (He 2015, for networks with ReLU).</summary>
    public static Tensor KaimingNormalFanIn(Tensor weight) => Normal(weight, Math.Sqrt(2.0 / (weight.Size(1) * Area(weight))));

    /// <summary>Uniform within sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010), for a weight [outputs, inputs].</summary>
    public static Tensor XavierUniform(Tensor weight) => Uniform(weight, Math.Sqrt(6.0 / (weight.Size(0) + weight.Size(1))));

    /// <summary>Uniform within 1 / sqrt(fan-in): PyTorch's default for linear layers and convolutions (Kaiming with a = sqrt 5).</summary>
    public static Tensor KaimingUniform(Tensor weight) => UniformByFanIn(weight, weight);

    /// <summary>Uniform within sqrt(6 / ((1 + slope^2) fan-in)) (He 2015, for a leaky ReLU of that slope).</summary>
    public static Tensor KaimingUniform(Tensor weight, double slope) =>
        Uniform(weight, Math.Sqrt(6 / ((1 + slope * slope) * weight.Size(1) * Area(weight))));

    /// <summary>Uniform within 1 / sqrt(fan-in of a weight): PyTorch's default for the bias beside it.</summary>
    public static Tensor UniformByFanIn(Tensor tensor, Tensor weight) => Uniform(tensor, 1 / Math.Sqrt(weight.Size(1) * Area(weight)));

    static long Area(Tensor weight) => weight.Shape.Skip(2).Aggregate(1L, (area, size) => area * size);
}
