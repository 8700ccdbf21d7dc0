namespace DistillSharp.Onnx.Quantization;

/// <summary>
/// How often which values of an activation were seen. Its width doubles when a value lies outside, by adding up neighboring
/// counts, so that the values are looked at once.
/// </summary>
sealed class ActivationHistogram
{
    const int Half = 2048;
    readonly long[] counts = new long[2 * Half];
    float low = float.MaxValue, high = float.MinValue, reach;

    /// <summary>Adds values; what is not finite is left out.</summary>
    public void Add(ReadOnlySpan<float> values)
    {
        var (least, largest) = (low, high);
        foreach (var value in values)
        {
            if (!float.IsFinite(value)) continue;
            if (value < least) least = value;
            if (value > largest) largest = value;
        }
        (low, high) = (least, largest);
        if (low > high) return;
        Widen(Math.Max(-low, high));
        var scale = Half / reach;
        foreach (var value in values)
            if (float.IsFinite(value)) counts[Math.Clamp(Half + (int)MathF.Floor(value * scale), 0, 2 * Half - 1)]++;
    }

    void Widen(float needed)
    {
        if (reach == 0) reach = needed > 0 ? needed : 1;
        while (reach < needed)
        {
            reach *= 2;
            for (var i = 0; i < Half / 2; i++) counts[Half + i] = counts[Half + 2 * i] + counts[Half + 2 * i + 1];
            for (var i = 0; i < Half / 2; i++) counts[Half - 1 - i] = counts[Half - 1 - 2 * i] + counts[Half - 2 - 2 * i];
            Array.Clear(counts, 0, Half / 2);
            Array.Clear(counts, Half + Half / 2, Half / 2);
        }
    }

    /// <summary>The range of all values seen.</summary>
    public ActivationRange MinMax() => low > high ? default : new(Math.Min(0, low), Math.Max(0, high));

    /// <summary>The range without the outermost values: half of those left out on each side that has any.</summary>
    /// <param name="percent">The share of values within.</param>
    public ActivationRange Percentile(double percent)
    {
        var whole = MinMax();
        var leftOut = (long)((100 - percent) / 100 * counts.Sum()) / (whole is { Low: < 0, High: > 0 } ? 2 : 1);
        var (first, last) = (0, counts.Length - 1);
        for (long passed = counts[first]; passed <= leftOut && first < Half; passed += counts[first]) first++;
        for (long passed = counts[last]; passed <= leftOut && last >= Half; passed += counts[last]) last--;
        return new(Math.Max(whole.Low, (first - Half) * reach / Half), Math.Min(whole.High, (last + 1 - Half) * reach / Half));
    }
}
