namespace DistillSharp.Data;

/// <summary>What is said of photographs that cannot be read.</summary>
static class PhotographProblems
{
    /// <summary>How many names stand in one message.</summary>
    public const int MaxNamed = 10;

    /// <summary>The sentence about what cannot be read; nothing where it may be left out.</summary>
    public static IEnumerable<string> Of(ReadOptions options, IEnumerable<DamagedPhotograph> damaged)
    {
        var all = damaged.ToArray();
        if (all.Length == 0 || options.SkipDamaged) return [];
        var named = string.Join("; ", all.Take(MaxNamed).Select(one => $"'{one.File}' {one.Why}"));
        return
        [
            $"{all.Length} file{(all.Length == 1 ? "" : "s")} cannot be read as images: {named}"
                + (all.Length > MaxNamed ? $"; and {all.Length - MaxNamed} more" : "")
                + "; mend or remove them, or leave them out by data.damaged: skip",
        ];
    }
}
