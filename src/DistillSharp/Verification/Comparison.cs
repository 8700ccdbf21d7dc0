namespace DistillSharp.Verification;

/// <summary>Gathers what differs between a computation and its reference.</summary>
sealed class Comparison
{
    readonly List<string> differences = [];

    public IReadOnlyList<string> Differences => differences;

    /// <summary>The largest relative error among those within their tolerance.</summary>
    public double Worst { get; private set; }

    /// <summary>
    /// Compares ||actual - expected|| / ||expected|| with a tolerance; the divisor is the least scale where that is larger.
    /// </summary>
    public void Close(string what, Tensor actual, Tensor expected, double tolerance, double minScale = 0)
    {
        if (actual.Shape.SequenceEqual(expected.Shape))
            Close(what, actual.ToArray<double>(), expected.ToArray<double>(), tolerance, minScale);
        else differences.Add($"{what}: shape [{string.Join(", ", actual.Shape)}], expected [{string.Join(", ", expected.Shape)}]");
    }

    public void Close(string what, ReadOnlySpan<double> actual, ReadOnlySpan<double> expected, double tolerance, double minScale = 0)
    {
        double difference = 0, scale = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            scale += expected[i] * expected[i];
        }
        var error = difference == 0 ? 0 : Math.Sqrt(difference) / Math.Max(Math.Sqrt(scale), minScale);
        if (error <= tolerance) Worst = Math.Max(Worst, error);
        else differences.Add($"{what}: relative error {error:0.0e+0}, at most {tolerance:0e+0} is allowed");
    }

    public void Same(string what, string actual, string expected)
    {
        if (actual != expected) differences.Add($"{what}: {actual}, expected {expected}");
    }

    public void Missing(string what) => differences.Add($"{what}: missing");
}
