namespace DistillSharp.Cli;

/// <summary>Text in lines of a width.</summary>
static class TextLines
{
    const string Signs = "-/,_=";

    /// <summary>The text in lines of at most so many columns, broken at spaces; a longer word behind a sign, or not at all.</summary>
    public static IReadOnlyList<string> Of(string text, int width)
    {
        var lines = new List<string>();
        var line = "";
        foreach (var word in text.Split(' ').SelectMany(word => Parts(word, width)))
        {
            var glued = word.Glued ? line + word.Text : line.Length == 0 ? word.Text : $"{line} {word.Text}";
            if (line.Length > 0 && glued.Length > width)
            {
                lines.Add(line);
                line = word.Text;
            }
            else line = glued;
        }
        lines.Add(line);
        return lines;
    }

    static IEnumerable<(string Text, bool Glued)> Parts(string word, int width)
    {
        var first = true;
        while (word.Length > width && word.LastIndexOfAny([.. Signs], width - 1) is > 0 and var at)
        {
            yield return (word[..(at + 1)], !first);
            word = word[(at + 1)..];
            first = false;
        }
        yield return (word, !first);
    }
}
