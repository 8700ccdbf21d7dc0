using System.Text.RegularExpressions;
using DistillSharp.Torch;

namespace DistillSharp.Tests;

/// <summary>The house rules that a compiler does not check: layers, their namespaces, the length of files.</summary>
public partial class ArchitectureTests
{
    const int LongestFile = 400;

    // Each may use only those before it. The root namespace (errors and the like) uses none, and all may use it.
    static readonly string[] Layers = ["Formats", "Models", "Methods", "Data", "Extending", "Evaluation", "Training", "Interop", "Verification"];

    [Fact]
    public void Every_folder_is_a_layer_and_every_file_is_in_its_namespace()
    {
        var wrong = new List<string>();
        foreach (var file in SourceTree.Files("src/DistillSharp", ".cs"))
        {
            if (Folders(file) is [var layer, ..] && !Layers.Contains(layer)) wrong.Add($"{Shown(file)}: the folder {layer} is no layer");
            var expected = string.Join('.', ["DistillSharp", .. Folders(file)]);
            var found = NamespaceLine().Match(File.ReadAllText(file)).Groups[1].Value;
            if (found != expected) wrong.Add($"{Shown(file)}: namespace {found} instead of {expected}");
        }
        None(wrong);
    }

    [Fact]
    public void No_layer_uses_one_below_it()
    {
        var types = typeof(UserException).Assembly.GetTypes();
        var wrong =
            from type in types
            where type.Namespace is not null
            from used in TypeReferences.Of(type)
            where used.Assembly == type.Assembly && Rank(used.Namespace) > Rank(type.Namespace)
            select $"{type.FullName} uses {used.FullName}";
        Assert.NotEmpty(types);
        None(wrong.Distinct());
    }

    // Constants and names leave no trace in the compiled code.
    [Fact]
    public void No_source_file_names_a_layer_below_its_own()
    {
        var wrong =
            from file in SourceTree.Files("src/DistillSharp", ".cs")
            let own = Folders(file).FirstOrDefault()
            from named in NamedLayers(File.ReadAllText(file))
            where Array.IndexOf(Layers, named) > Array.IndexOf(Layers, own)
            select $"{Shown(file)} names DistillSharp.{named}";
        None(wrong);
    }

    [Fact]
    public void The_binding_knows_nothing_of_distillation()
    {
        Assert.DoesNotContain(typeof(Tensor).Assembly.GetReferencedAssemblies(), assembly => assembly.Name!.StartsWith("DistillSharp", StringComparison.Ordinal));
        var wrong =
            from file in SourceTree.Files("src/DistillSharp.Torch", ".cs")
            where NamedLayers(File.ReadAllText(file)).Any()
            select Shown(file);
        None(wrong);
    }

    [Fact]
    public void The_command_line_computes_nothing()
    {
        var wrong =
            from file in SourceTree.Files("src/DistillSharp.Cli", ".cs")
            from Match match in Computing().Matches(SourceTree.Code(File.ReadAllText(file)))
            select $"{Shown(file)} uses {match.Value}";
        None(wrong);
    }

    [Fact]
    public void No_file_is_longer_than_it_should_be()
    {
        var files = new[] { "src", "tests", "native", "benchmarks", "eng" }
            .SelectMany(folder => SourceTree.Files(folder, ".cs", ".cpp", ".h", ".sh", ".py", ".cmake")).ToList();
        Assert.NotEmpty(files);
        var wrong =
            from file in files
            let lines = File.ReadLines(file).Count()
            where lines > LongestFile
            select $"{Shown(file)}: {lines} lines";
        None(wrong);
    }

    [Fact]
    public void The_checks_see_what_they_are_to_forbid()
    {
        var used = TypeReferences.Of(typeof(Sample));
        foreach (var expected in new[] { typeof(UserException), typeof(Version), typeof(Uri), typeof(Lazy<>), typeof(Random), typeof(GC), typeof(TimeZoneInfo) })
            Assert.Contains(expected, used);
        Assert.DoesNotContain(typeof(DateOnly), used);

        Assert.Equal(["Interop", "Training"], NamedLayers("using DistillSharp.Interop; /* DistillSharp.Data */ var t = DistillSharp.Training.Trainer; // DistillSharp.Models"));
        Assert.Empty(NamedLayers("""var s = "DistillSharp.Experiments.Runs \" DistillSharp.Experiments.Runs"; using DistillSharp.Torch;"""));
        Assert.Matches(Computing(), "Tensor x");
        Assert.DoesNotMatch(Computing(), "TensorBoard x");
    }

    sealed class Sample(Lazy<Random> lazy) : UserException("")
    {
        readonly Version? field = Environment.Version;

        public string Code(int choice)
        {
            GC.KeepAlive(lazy);
            Func<string> inner = () => field!.ToString();
            return choice switch { 0 => new Uri("a:b").ToString(), 1 => typeof(TimeZoneInfo).Name, 2 => "x", 3 => "y", 4 => "z", _ => inner() };
        }
    }

    static int Rank(string? space) => Array.IndexOf(Layers, space?.Split('.').ElementAtOrDefault(1));

    static IEnumerable<string> NamedLayers(string text) =>
        from Match match in QualifiedName().Matches(SourceTree.Code(text))
        where Layers.Contains(match.Groups[1].Value)
        select match.Groups[1].Value;

    // Below src/DistillSharp.
    static string[] Folders(string file) => Path.GetRelativePath(Path.Combine(SourceTree.Root, "src", "DistillSharp"), file).Split('/')[..^1];

    static void None(IEnumerable<string> wrong) => Assert.True(!wrong.Any(), string.Join('\n', wrong));

    static string Shown(string file) => Path.GetRelativePath(SourceTree.Root, file);

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"\bDistillSharp\.(\w+)")]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"\b(Tensor|TensorScope|Operator|Autograd|Functional|Initialize|DllImport|LibraryImport|unsafe)\b")]
    private static partial Regex Computing();
}
