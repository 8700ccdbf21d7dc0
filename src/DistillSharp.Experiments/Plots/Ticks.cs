namespace DistillSharp.Experiments.Plots;

/// <summary>The round numbers at which an axis is labeled, rising, and the same as text with as many decimals as the step needs.</summary>
sealed record Ticks(IReadOnlyList<double> Values, IReadOnlyList<string> Labels)
{
    /// <summary>Ticks within a range, about as many as wanted, at steps of 1, 2 or 5 times a power of ten.</summary>
    public static Ticks Within(double low, double high, int wanted, bool whole = false)
    {
        var step = Step((high - low) / Math.Max(1, wanted));
        if (whole) step = Math.Max(1, step);
        var decimals = Math.Clamp(-(int)Math.Floor(Math.Log10(step) + 1e-9), 0, 12);
        var values = new List<double>();
        // Counting in steps, not adding them up: sums of tenths drift.
        for (var i = Math.Ceiling(low / step - 1e-9); i * step <= high + step * 1e-9; i++) values.Add(i * step);
        var largest = Math.Max(Math.Abs(low), Math.Abs(high));
        var format = largest is >= 1e-3 and < 1e6
            ? "F" + decimals.ToString(CultureInfo.InvariantCulture)
            : "0." + new string('0', Math.Clamp((int)Math.Floor(Math.Log10(largest)) - (int)Math.Floor(Math.Log10(step) + 1e-9), 0, 9))
                + "e+0";
        return new Ticks(values, [.. values.Select(v => Text(v, format))]);
    }

    /// <summary>A range widened outwards to ticks, so that lines do not run along the frame.</summary>
    public static (double Low, double High) Widen(double low, double high, int wanted)
    {
        if (!(high > low))
        {
            var room = low == 0 ? 1 : Math.Abs(low) * 0.05;
            (low, high) = (low - room, high + room);
        }
        var step = Step((high - low) / Math.Max(1, wanted));
        return (Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step);
    }

    static double Step(double min)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(min)));
        return (min / power) switch
        {
            <= 1 + 1e-9 => power,
            <= 2 + 1e-9 => 2 * power,
            <= 5 + 1e-9 => 5 * power,
            _ => 10 * power,
        };
    }

    static string Text(double value, string format)
    {
        var text = value.ToString(format, CultureInfo.InvariantCulture);
        // A typographic minus is as wide as the digits' plus; "-0.0" is zero.
        if (text.StartsWith('-') && text.AsSpan(1).IndexOfAnyExcept("0.e+") < 0) text = text[1..];
        return text.Replace('-', '−').Replace("e+", "e");
    }
}
