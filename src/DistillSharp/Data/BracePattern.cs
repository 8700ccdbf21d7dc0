namespace DistillSharp.Data;

/// <summary>
/// Names by a pattern, as shells and WebDataset write them: <c>train-{000000..001281}.tar</c>, <c>{train,val}-{0..9}.tar</c>.
/// </summary>
static class BracePattern
{
    const int MaxNames = 1_000_000;

    /// <summary>Whether a text is a pattern, or several parted by <c>::</c>.</summary>
    public static bool IsPattern(string text) => text.Contains('{') || text.Contains("::", StringComparison.Ordinal);

    /// <summary>All names, in the pattern's order.</summary>
    /// <exception cref="UserException">A brace is not closed, or there are too many names.</exception>
    public static IReadOnlyList<string> Expand(string pattern)
    {
        var names = pattern.Split("::").SelectMany(part => Expanded(part, pattern)).Take(MaxNames + 1).ToArray();
        return names.Length <= MaxNames ? names : throw new UserException($"'{pattern}' stands for more than {MaxNames:N0} names");
    }

    static IEnumerable<string> Expanded(string text, string pattern)
    {
        var open = text.IndexOf('{');
        if (open < 0)
        {
            yield return text.Contains('}') ? throw Unbalanced(pattern) : text;
            yield break;
        }
        var close = Close(text, open) ?? throw Unbalanced(pattern);
        var rest = text[(close + 1)..];
        foreach (var choice in Choices(text[(open + 1)..close], pattern))
            foreach (var tail in Expanded(rest, pattern))
                yield return text[..open] + choice + tail;
    }

    static IEnumerable<string> Choices(string inside, string pattern)
    {
        var parts = Parts(inside);
        if (parts.Count == 1 && Range(inside) is { } range) return range;
        return parts.Count > 1 ? parts.SelectMany(part => Expanded(part, pattern))
            : throw new UserException($"'{{{inside}}}' in '{pattern}' is neither a range as {{000..127}} nor a list as {{train,val}}");
    }

    static IEnumerable<string>? Range(string inside)
    {
        var at = inside.IndexOf("..", StringComparison.Ordinal);
        if (at < 0 || !IsNumber(inside[..at], out var first) || !IsNumber(inside[(at + 2)..], out var last) || last < first) return null;
        // As shells do: the width of the wider end, where one begins with a zero.
        var (from, to) = (inside[..at], inside[(at + 2)..]);
        var width = (from.Length > 1 && from[0] == '0') || (to.Length > 1 && to[0] == '0') ? Math.Max(from.Length, to.Length) : 1;
        return Enumerable.Sequence(first, last, 1).Select(number => number.ToString(CultureInfo.InvariantCulture).PadLeft(width, '0'));
    }

    static bool IsNumber(string text, out long number)
    {
        number = 0;
        return text.Length is > 0 and < 19 && text.All(char.IsAsciiDigit) && long.TryParse(text, CultureInfo.InvariantCulture, out number);
    }

    // What commas part, those within braces left alone.
    static List<string> Parts(string inside)
    {
        var (parts, depth, start) = (new List<string>(), 0, 0);
        for (var i = 0; i < inside.Length; i++)
        {
            if (inside[i] == '{') depth++;
            else if (inside[i] == '}') depth--;
            else if (inside[i] == ',' && depth == 0)
            {
                parts.Add(inside[start..i]);
                start = i + 1;
            }
        }
        parts.Add(inside[start..]);
        return parts;
    }

    static int? Close(string text, int open)
    {
        var depth = 0;
        for (var i = open; i < text.Length; i++)
        {
            if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return i;
        }
        return null;
    }

    static UserException Unbalanced(string pattern) => new($"'{pattern}' has a brace that is not closed or not opened");
}
