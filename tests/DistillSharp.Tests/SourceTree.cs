using System.Text.RegularExpressions;

namespace DistillSharp.Tests;

/// <summary>The project's own source files, for tests of its structure.</summary>
static partial class SourceTree
{
    public static string Root { get; } = Find();

    /// <summary>Files below <paramref name="folder"/> (relative to the root), build output aside.</summary>
    public static IEnumerable<string> Files(string folder, params string[] endings)
    {
        var start = Path.Combine(Root, folder);
        return Directory.Exists(start)
            ? Directory.EnumerateFiles(start, "*", SearchOption.AllDirectories)
                .Where(file => endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal)))
                .Where(file => !BuildOutput().IsMatch(Path.GetRelativePath(Root, file)))
                .Order(StringComparer.Ordinal)
            : [];
    }

    /// <summary>C# without comments and the contents of strings.</summary>
    public static string Code(string text) => NotCode().Replace(text, match => match.Value[0] == '/' ? " " : "\"\"");

    static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "DistillSharp.slnx")))
                return folder.FullName;
        throw new DirectoryNotFoundException($"no DistillSharp.slnx above {AppContext.BaseDirectory}");
    }

    [GeneratedRegex("""(^|/)(bin|obj|artifacts|node_modules)/""")]
    private static partial Regex BuildOutput();

    [GeneratedRegex(
        "//[^\n]*|/\\*.*?\\*/|\"{3,}.*?\"{3,}|@\"(?:\"\"|[^\"])*\"|\"(?:\\\\.|[^\"\\\\\n])*\"|'(?:\\\\.|[^'\\\\])+'",
        RegexOptions.Singleline)]
    private static partial Regex NotCode();
}
