using System.Reflection;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Onnx;
using DistillSharp.Serve;
using DistillSharp.Torch;

namespace DistillSharp.Tests.PublicApi;

/// <summary>The public API is a promise: it changes on purpose, never by the way.</summary>
public class PublicApiTests
{
    const string Kept = "tests/DistillSharp.Tests/PublicApi";

    public static TheoryData<Assembly> Assemblies =>
        [typeof(Tensor).Assembly, typeof(UserException).Assembly, typeof(OnnxClassifier).Assembly, typeof(Recipe).Assembly,
            typeof(PageServer).Assembly];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void It_is_what_was_written_down(Assembly assembly)
    {
        var name = $"{assembly.GetName().Name}.txt";
        var kept = Path.Combine(SourceTree.Root, Kept, name);
        var (before, now) = (File.Exists(kept) ? File.ReadAllText(kept) : "", ApiText.Of(assembly));
        if (before == now) return;

        var written = Path.Combine(SourceTree.Root, "artifacts/public-api", name);
        Directory.CreateDirectory(Path.GetDirectoryName(written)!);
        File.WriteAllText(written, now);
        Assert.Fail($"""
            the public API of {assembly.GetName().Name} is no longer what {Kept}/{name} says:
            {string.Join('\n', Difference(before, now))}
            If this is meant, add a line to CHANGELOG.md and accept it: cp artifacts/public-api/{name} {Kept}/
            """);
    }

    [Fact]
    public void A_difference_names_the_type_and_shows_both_lines() => Assert.Equal(
        ["class A", "  -     int X { get; }", "  +     int X { get; set; }", "class C", "  +     void M()", "class B, which is gone"],
        Difference(
            "class A\n    int X { get; }\n\nclass B\n    int Y { get; }\n\nclass C\n\n",
            "class A\n    int X { get; set; }\n\nclass C\n    void M()\n\n"));

    [Fact]
    public void The_text_says_what_a_caller_must_know()
    {
        var text = ApiText.Of(typeof(PublicApiTests).Assembly);
        string Of(Type type) =>
            text[text.IndexOf($" {type.Namespace}.{TypeName.Plain(type)}", StringComparison.Ordinal)..].Split("\n\n")[0];
        Assert.Equal("""
             DistillSharp.Tests.PublicApi.PublicApiTests.Sample<T> : List<T>, IDisposable
                Sample(string? name, int count = 3)
                T this[T index] { get; }
                const string Constant = "c"
                protected virtual (int, string?) Method<U>(out U given, params ReadOnlySpan<string?> more)
                required int? Settable { get; init; }
                static IReadOnlyDictionary<string, T?[]>? Static { get; protected set; }
                void Dispose()
            """, Of(typeof(Sample<>)));
        Assert.StartsWith(
            " DistillSharp.Tests.PublicApi.PublicApiTests.Point\n    Point(int X)\n    int X { get; set; }", Of(typeof(Point)));
        Assert.Contains("record struct DistillSharp.Tests.PublicApi.PublicApiTests.Point\n", text);
    }

    public class Sample<T>(string? name, int count = 3) : List<T>, IDisposable where T : class
    {
        public const string Constant = "c";

        internal string? Hidden => $"{name} {count}";

        public static IReadOnlyDictionary<string, T?[]>? Static { get; protected set; }

        public required int? Settable { get; init; }

        public T this[T index] => index;

        protected virtual (int, string?) Method<U>(out U given, params ReadOnlySpan<string?> more) => throw new NotSupportedException();

        public void Dispose() => GC.SuppressFinalize(this);
    }

    public record struct Point(int X);

    // Type by type: lines that went, lines that came.
    static IEnumerable<string> Difference(string before, string now)
    {
        var (old, current) = (Types(before), Types(now));
        foreach (var (header, members) in current)
        {
            var known = old.GetValueOrDefault(header);
            string[] lines =
                [.. (known ?? []).Except(members).Select(line => $"  - {line}"),
                    .. members.Except(known ?? []).Select(line => $"  + {line}")];
            if (lines.Length == 0 && known is not null) continue;
            yield return known is null ? $"{header}, which is new" : header;
            foreach (var line in lines) yield return line;
        }
        foreach (var header in old.Keys.Except(current.Keys)) yield return $"{header}, which is gone";
    }

    static Dictionary<string, string[]> Types(string text) =>
        text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(type => type.Split('\n'))
            .ToDictionary(lines => lines[0], lines => lines[1..]);
}
