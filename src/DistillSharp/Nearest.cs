namespace DistillSharp;

/// <summary>Finds the known name that a mistyped one most likely meant, for error messages.</summary>
public static class Nearest
{
    const int LongestCompared = 100;

    /// <summary>
    /// The name in <paramref name="known"/> nearest to <paramref name="given"/>, upper and lower case alike; null when none
    /// is near enough to be a slip of the keyboard. A swap of two neighbors counts as one slip. Of equally near names, the first.
    /// </summary>
    public static string? To(string given, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(given);
        ArgumentNullException.ThrowIfNull(known);
        if (given.Length is 0 or > LongestCompared) return null;

        // What differs only by hyphens and the like is meant, however many names are one slip away.
        var names = known.Where(name => name.Length <= LongestCompared).ToList();
        return names.Find(name => Letters(name).Equals(Letters(given), StringComparison.OrdinalIgnoreCase))
            ?? names.Select(name => (Name: name, Slips: Slips(given, name)))
                .Where(near => near.Slips <= Allowed(given.Length, near.Name.Length)).OrderBy(near => near.Slips).FirstOrDefault().Name;
    }

    /// <summary>"; did you mean 'name'?" to end a sentence with, or nothing when no known name is near.</summary>
    public static string Hint(string given, IEnumerable<string> known) =>
        To(given, known) is { } name ? $"; did you mean '{name}'?" : "";

    static int Allowed(int given, int known) => Math.Max(1, Math.Min(given, known) / 3);

    // Damerau's distance (optimal string alignment) over three rolling rows.
    static int Slips(string a, string b)
    {
        Span<int> before = stackalloc int[b.Length + 1], last = stackalloc int[b.Length + 1], row = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var min = Math.Min(Math.Min(last[j], row[j - 1]) + 1, last[j - 1] + (Same(a[i - 1], b[j - 1]) ? 0 : 1));
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1])) min = Math.Min(min, before[j - 2] + 1);
                row[j] = min;
            }
            var spare = before;
            before = last;
            last = row;
            row = spare;
        }
        return last[b.Length];
    }

    static string Letters(string name) => string.Concat(name.Where(char.IsLetterOrDigit));

    static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
