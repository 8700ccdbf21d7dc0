namespace DistillSharp.Data;

/// <summary>A new value for each of a channel's 256, one table for each channel or one for all: Pillow's point operations.</summary>
sealed class ValueTable
{
    const int Values = 256;

    readonly byte[] table;
    readonly int channels;

    ValueTable(int channels) => (this.channels, table) = (channels, new byte[channels * Values]);

    /// <summary>Replaces every value of an image, [H, W, C].</summary>
    public void Apply(ImageView image, Span<byte> destination)
    {
        var own = channels == 1 ? 0 : Values;
        for (var i = 0; i < image.Pixels.Length; i++) destination[i] = table[i % image.Channels * own + image.Pixels[i]];
    }

    /// <summary>So many bits are kept (<c>ImageOps.posterize</c>).</summary>
    public static ValueTable Posterize(int bits) => Of(value => value & ~((1 << (8 - bits)) - 1));

    /// <summary>Values from a threshold on are inverted (<c>ImageOps.solarize</c>).</summary>
    public static ValueTable Solarize(double threshold) => Of(value => value < threshold ? value : 255 - value);

    /// <summary><c>ImageOps.invert</c>.</summary>
    public static ValueTable Invert() => Of(value => 255 - value);

    /// <summary>Each channel's smallest value becomes 0, its largest 255 (<c>ImageOps.autocontrast</c>).</summary>
    public static ValueTable AutoContrast(ImageView image) => OfEach(image, histogram =>
    {
        var (low, high) = (histogram.IndexOfAnyExcept(0), histogram.LastIndexOfAnyExcept(0));
        if (high <= low) return value => value;
        var scale = 255.0 / (high - low);
        var offset = -low * scale;
        return value => (int)(value * scale + offset);
    });

    /// <summary>Each channel's values become equally frequent (<c>ImageOps.equalize</c>).</summary>
    public static ValueTable Equalize(ImageView image) => OfEach(image, histogram =>
    {
        var last = histogram.LastIndexOfAnyExcept(0);
        var (sum, kinds) = (0, 0);
        foreach (var count in histogram) (sum, kinds) = (sum + count, kinds + (count > 0 ? 1 : 0));
        var step = kinds <= 1 ? 0 : (sum - histogram[last]) / 255;
        if (step == 0) return value => value;
        var places = new int[Values];
        for (var (value, before) = (0, step / 2); value < Values; before += histogram[value++]) places[value] = before / step;
        return value => places[value];
    });

    static ValueTable Of(Func<int, int> change)
    {
        var made = new ValueTable(1);
        made.Fill(0, change);
        return made;
    }

    delegate Func<int, int> Fit(ReadOnlySpan<int> histogram);

    static ValueTable OfEach(ImageView image, Fit fit)
    {
        var made = new ValueTable(image.Channels);
        var histograms = new int[image.Channels * Values];
        for (var i = 0; i < image.Pixels.Length; i++) histograms[i % image.Channels * Values + image.Pixels[i]]++;
        for (var c = 0; c < image.Channels; c++) made.Fill(c, fit(histograms.AsSpan(c * Values, Values)));
        return made;
    }

    void Fill(int channel, Func<int, int> change)
    {
        for (var value = 0; value < Values; value++) table[channel * Values + value] = (byte)Math.Clamp(change(value), 0, 255);
    }
}
