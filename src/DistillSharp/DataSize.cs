namespace DistillSharp;

/// <summary>Amounts of memory as people write them: <c>512 MB</c>, <c>2 GB</c>, decimal units.</summary>
static class DataSize
{
    static readonly (string Name, long Bytes)[] units =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000), ("B", 1)];

    /// <summary>Reads an amount above 0, at most 1000 TB.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        foreach (var (name, factor) in units)
        {
            if (!text.EndsWith(name, StringComparison.OrdinalIgnoreCase)) continue;
            if (!decimal.TryParse(
                text[..^name.Length].TrimEnd(' '), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                || number is <= 0 or > 1_000_000_000_000_000m) return false;
            var size = number * factor;
            if (size > 1_000_000_000_000_000m || decimal.Truncate(size) != size) return false;
            bytes = (long)size;
            return true;
        }
        return false;
    }

    /// <summary>Writes an amount, exactly, in the largest unit that needs no fraction.</summary>
    public static string Text(long bytes)
    {
        var (name, factor) = units.First(unit => bytes % unit.Bytes == 0);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / factor} {name}");
    }
}
