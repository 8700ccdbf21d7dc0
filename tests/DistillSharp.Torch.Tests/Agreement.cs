namespace DistillSharp.Torch.Tests;

/// <summary>Two ways to compute the same.</summary>
static class Agreement
{
    /// <summary>A tensor's values in row-major order.</summary>
    public static double[] Values(Tensor tensor) => tensor.Detach().To(DType.Float64).Contiguous().ToArray<double>();

    /// <summary>No value differs by more than a share of the largest expected one, or of 1 where all are smaller.</summary>
    public static void Near(string name, double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var largest = expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(largest, 1),
                $"{name}[{i}]: {actual[i]} instead of {expected[i]}");
    }
}
