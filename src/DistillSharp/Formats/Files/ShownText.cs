namespace DistillSharp.Formats.Files;

/// <summary>Text from an untrusted file, made fit for a message on a terminal.</summary>
internal static class ShownText
{
    const int Longest = 120;

    /// <summary>The text on one line, without control characters, cut where it is long.</summary>
    public static string Of(string text)
    {
        var shown = new StringBuilder(Math.Min(text.Length, Longest) + 3);
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, Longest)))
            shown.Append(char.IsControl(character) || char.IsSurrogate(character) ? '?' : character);
        return (text.Length > Longest ? shown.Append("...") : shown).ToString();
    }
}
