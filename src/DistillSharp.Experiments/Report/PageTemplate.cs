using System.Net;
using System.Text.RegularExpressions;

namespace DistillSharp.Experiments.Report;

/// <summary>Pages that hold their scripts and styles: the report of runs and the live page are made of the same parts.</summary>
static partial class PageTemplate
{
    static readonly string[] shared = ["uplot.min", "elements", "runs", "curves", "maps", "classes"];

    /// <summary>The scripts of a report: all it shows is in it.</summary>
    public static IReadOnlyList<string> Report { get; } = [.. shared, "report"];

    /// <summary>The scripts of the live page, which hears from the server that it came from.</summary>
    public static IReadOnlyList<string> Live { get; } = [.. shared, "list", "view", "sweeps", "live"];

    /// <summary>Makes a page of a title, one of the lists above, and what the scripts read.</summary>
    /// <remarks>The data is JSON of System.Text.Json, whose default encoder escapes every &lt;: no text can end the element.</remarks>
    public static string Fill(string title, IReadOnlyList<string> scripts, string data) =>
        Slot().Replace(Part("page.html"), slot => slot.Value switch
    {
        "{{connect}}" => scripts == Live ? "'self'" : "'none'",
        "{{title}}" => WebUtility.HtmlEncode(title),
        "{{style}}" => Part("uplot.min.css").TrimEnd() + "\n" + Part("style.css").TrimEnd(),
        "{{script}}" => string.Join('\n', scripts.Select(name => Part(name + ".js").TrimEnd())),
        "{{data}}" => data,
        var unknown => throw new InvalidOperationException($"the page has no {unknown}"),
    });

    static string Part(string name)
    {
        using var stream = typeof(PageTemplate).Assembly.GetManifestResourceStream("DistillSharp.Report." + name)
            ?? throw new InvalidOperationException($"the page's part {name} is not in the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("{{[a-z]+}}")]
    private static partial Regex Slot();
}
