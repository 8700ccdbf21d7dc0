using System.Reflection;
using System.Text.RegularExpressions;
using DistillSharp.Torch;

namespace DistillSharp.Tests;

/// <summary>The house rules that a compiler does not check: the order of the rooms, their namespaces, the length of files.</summary>
public partial class ArchitectureTests
{
    const int LongestFile = 400;
    const int LongestLine = 140;

    // The rooms of all libraries, in one order: each may use only those before it. A folder is a room, and so is a folder in
    // it that stands here by itself. What lies in a library's root (errors and the like) all may use.
    static readonly string[] rooms =
    [
        "DistillSharp",
        "DistillSharp.Formats.Files",
        "DistillSharp.Formats.Tensors",
        "DistillSharp.Formats.NumPy",
        "DistillSharp.Formats.Pickle",
        "DistillSharp.Formats.PyTorch",
        "DistillSharp.Formats.SafeTensors",
        "DistillSharp.Formats.TorchSharp",
        "DistillSharp.Formats",
        "DistillSharp.Models",
        "DistillSharp.Methods",
        "DistillSharp.Data",
        "DistillSharp.Extending",
        "DistillSharp.Evaluation",
        "DistillSharp.Training",
        "DistillSharp.Interop.Onnx",
        "DistillSharp.Interop",
        "DistillSharp.Verification",
        "DistillSharp.Onnx",
        "DistillSharp.Onnx.Measurement",
        "DistillSharp.Onnx.Teachers",
        "DistillSharp.Onnx.Quantization",
        "DistillSharp.Onnx.Prediction",
        "DistillSharp.Experiments.Recipes",
        "DistillSharp.Experiments.TensorBoard",
        "DistillSharp.Experiments.Runs",
        "DistillSharp.Experiments.Registry",
        "DistillSharp.Experiments.Execution",
        "DistillSharp.Experiments.Launching",
        "DistillSharp.Experiments.Measurement",
        "DistillSharp.Experiments.Paper",
        "DistillSharp.Experiments.Published",
        "DistillSharp.Experiments.Sweeps",
        "DistillSharp.Experiments.Plots",
        "DistillSharp.Experiments.Report",
        "DistillSharp.Experiments.Quickstart",
        "DistillSharp.Serve",
    ];

    // One thing each, in two files for their length.
    static readonly string[] halves =
    [
        "src/DistillSharp/Data/BatchLoader.cs and PreparedBatches.cs",
        "src/DistillSharp/Formats/Pickle/PickleValues.cs and PickledArray.cs",
        .. new[] { "ConvNext.cs and Networks", "DenseNet.cs and Networks", "MobileNetV1.cs and Networks", "MobileNetV2.cs and Networks",
            "MobileNetwork.cs and Networks", "Networks.cs and ResNet", "Networks.cs and ShuffleNetV1", "Networks.cs and ShuffleNetV2",
            "Networks.cs and Vgg", "Networks.cs and VggBn", "Networks.cs and VisionTransformer", "Networks.cs and WideResNet" }.Select(
                pair => $"src/DistillSharp/Models/{pair}.cs"),
    ];

    // Reading is WeightsFile's, and leaves PyTorchFile.
    static readonly string[] upward =
    [
        "DistillSharp.Formats.PyTorch.PyTorchFile uses DistillSharp.Formats.FileKinds",
        "DistillSharp.Formats.PyTorch.PyTorchFile uses DistillSharp.Formats.WeightsFile",
    ];

    static readonly string[] libraries = ["DistillSharp", "DistillSharp.Onnx", "DistillSharp.Experiments", "DistillSharp.Serve"];

    [Fact]
    public void Every_folder_is_a_room_and_every_file_is_in_its_namespace()
    {
        var wrong = new List<string>();
        foreach (var (file, folder) in Sources())
        {
            if (!rooms.Contains(folder)) wrong.Add($"{Shown(file)}: {folder} is no room");
            var found = NamespaceLine().Match(File.ReadAllText(file)).Groups[1].Value;
            if (found != folder) wrong.Add($"{Shown(file)}: namespace {found} instead of {folder}");
        }
        None(wrong);
        None(rooms.Except(Sources().Select(source => source.Folder)).Select(room => $"the room {room} holds nothing"));
    }

    [Fact]
    public void The_page_on_architecture_shows_the_rooms_in_their_order()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "architecture.md"));
        var shown =
            RoomOfPage().Matches(page).Select(row => row.Groups[1].Value).SelectMany(row => RoomName().Matches(row))
                .Select(name => name.Groups[1].Value);
        // The smaller projects have a row each, without their folders.
        var projects = Directory.GetDirectories(Path.Combine(SourceTree.Root, "src")).Select(folder => Path.GetFileName(folder)!).ToList();
        Assert.All(projects, project => Assert.Contains($"`src/{project}`", page, StringComparison.Ordinal));
        var own = rooms.Select(room => room.Split('.')).Where(path => path.Length > 1)
            .Select(path =>
                path[1] == "Experiments" ? path.ElementAtOrDefault(2) : projects.Contains($"DistillSharp.{path[1]}") ? null : path[1])
            .OfType<string>();
        Assert.Equal(own.Distinct(), shown);
    }

    [Fact]
    public void No_room_uses_one_after_it()
    {
        var types = libraries.SelectMany(name => Assembly.Load(name).GetTypes()).ToList();
        var wrong =
            from type in types
            from used in TypeReferences.Of(type)
            where Rank(used.Namespace) > Rank(type.Namespace)
            select $"{type.FullName} uses {used.FullName}";
        Assert.NotEmpty(types);
        None(wrong.Distinct().Except(upward));
    }

    // Constants and names leave no trace in the compiled code.
    [Fact]
    public void No_source_file_names_a_room_after_its_own()
    {
        var wrong =
            from source in Sources()
            from named in NamedRooms(File.ReadAllText(source.File))
            where Rank(named) > Rank(source.Folder)
            select $"{Shown(source.File)} names {named}";
        None(wrong);
    }

    // Files that can only be read together are one file, or their order is not found yet.
    [Fact]
    public void No_two_files_of_a_room_need_each_other()
    {
        var files =
            Sources()
                .SelectMany(
                    source => DeclaredTypes(File.ReadAllText(source.File)).Select(type => (Type: $"{source.Folder}.{type}", source.File)))
            .GroupBy(declared => declared.Type).ToDictionary(type => type.Key, type => type.Select(declared => declared.File).ToHashSet());
        Assert.NotEmpty(files);
        var uses = new HashSet<(string From, string To)>();
        foreach (var type in libraries.SelectMany(name => Assembly.Load(name).GetTypes()))
            foreach (var used in TypeReferences.Of(type))
                // A type of several files stands in none of them.
                if (FileOf(type) is { } from && FileOf(used) is { } to && from != to
                    && Path.GetDirectoryName(from) == Path.GetDirectoryName(to))
                    uses.Add((from, to));
        None(uses.Where(use => uses.Contains((use.To, use.From)) && string.CompareOrdinal(use.From, use.To) < 0)
            .Select(use => $"{Shown(use.From)} and {Path.GetFileName(use.To)}").Except(halves).Order(StringComparer.Ordinal));

        string? FileOf(Type type)
        {
            while (type.DeclaringType is { } outer) type = outer;
            return files.TryGetValue($"{type.Namespace}.{type.Name.Split('`')[0]}", out var found) && found.Count == 1 ? found.Single()
                : null;
        }
    }

    [Fact]
    public void The_binding_knows_nothing_of_distillation()
    {
        Assert.DoesNotContain(
            typeof(Tensor).Assembly.GetReferencedAssemblies(), assembly =>
                assembly.Name!.StartsWith("DistillSharp", StringComparison.Ordinal));
        var wrong =
            from file in SourceTree.Files("src/DistillSharp.Torch", ".cs")
            where NamedRooms(File.ReadAllText(file)).Any()
            select Shown(file);
        None(wrong);
    }

    // Who only trains needs no web server.
    [Fact]
    public void Only_the_page_knows_of_a_web_server()
    {
        foreach (var name in libraries)
            Assert.Equal(name == "DistillSharp.Serve",
                Assembly.Load(name).GetReferencedAssemblies()
                    .Any(assembly => assembly.Name!.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)));
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
    public void No_line_is_longer_than_it_should_be()
    {
        var files = new[] { "src", "tests", "native", "benchmarks", "examples" }
            .SelectMany(folder => SourceTree.Files(folder, ".cs", ".cpp", ".h")).ToList();
        Assert.NotEmpty(files);
        var wrong =
            from file in files
            from line in File.ReadLines(file).Index()
            where line.Item.Length > LongestLine
            select $"{Shown(file)}: line {line.Index + 1} has {line.Item.Length} characters";
        None(wrong);
    }

    // Its messages tell what is missing; which option of the command would say it, the command knows.
    [Fact]
    public void The_library_knows_no_option_of_the_command()
    {
        var wrong =
            from folder in new[] { "src/DistillSharp.Torch", "src/DistillSharp", "src/DistillSharp.Onnx" }
            from file in SourceTree.Files(folder, ".cs")
            from line in File.ReadLines(file)
            from Match match in OptionInText().Matches(line)
            where !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && !NotOurs().IsMatch(line)
            select $"{Shown(file)}: {match.Value}";
        None(wrong);
    }

    // test.sh gives them a process of their own, beside the others': a collection would wait for the end of all.
    [Fact]
    public void Tests_that_nothing_may_run_beside_are_marked()
    {
        var all = typeof(ArchitectureTests).Assembly.GetTypes();
        var alone = all.SelectMany(type => type.GetCustomAttributesData())
            .Where(attribute => attribute.AttributeType == typeof(CollectionDefinitionAttribute) && attribute.NamedArguments.Any(argument =>
                argument is { MemberName: nameof(CollectionDefinitionAttribute.DisableParallelization), TypedValue.Value: true }))
            .Select(attribute => attribute.ConstructorArguments[0].Value).ToList();
        Assert.NotEmpty(alone);
        None(all.Where(type => IsAlone(type) != type.GetCustomAttributesData().Any(attribute =>
                attribute.AttributeType == typeof(TraitAttribute) && attribute.ConstructorArguments[1].Value is "alone"))
            .Select(type => $"{type.Name}: [Trait(\"runs\", \"alone\")] stands with such a collection, and with it alone"));

        bool IsAlone(Type type) => type.GetCustomAttributesData().Any(attribute =>
            attribute.AttributeType == typeof(CollectionAttribute) && alone.Contains(attribute.ConstructorArguments[0].Value));
    }

    [Fact]
    public void The_checks_see_what_they_are_to_forbid()
    {
        var used = TypeReferences.Of(typeof(Sample));
        foreach (
            var expected in new[] {
                typeof(UserException), typeof(Version), typeof(Uri), typeof(Lazy<>), typeof(Random), typeof(GC), typeof(TimeZoneInfo) })
            Assert.Contains(expected, used);
        Assert.DoesNotContain(typeof(DateOnly), used);

        Assert.Equal(["DistillSharp.Interop", "DistillSharp.Interop.Onnx", "DistillSharp.Experiments.Runs"], NamedRooms(
            "using DistillSharp.Interop; using DistillSharp.Interop.Onnx.Messages; /* DistillSharp.Data */ var t = "
            + "DistillSharp.Experiments.Runs.RunName; // DistillSharp.Models"));
        Assert.Empty(NamedRooms("""var s = "DistillSharp.Experiments.Runs \" DistillSharp.Experiments.Runs"; using DistillSharp.Torch;"""));
        Assert.Equal(
            ["A", "B", "C"], DeclaredTypes("public sealed partial class A;\nrecord struct B(int C);\n  class Inner;\npublic enum C { }"));
        Assert.Matches(Computing(), "Tensor x");
        Assert.DoesNotMatch(Computing(), "TensorBoard x");
        Assert.Matches(OptionInText(), """throw new("give --model NAME")""");
        Assert.DoesNotMatch(OptionInText(), """count--; say("a--b")""");
    }

    sealed class Sample(Lazy<Random> lazy) : UserException("")
    {
        readonly Version? field = Environment.Version;

        public string Code(int choice)
        {
            GC.KeepAlive(lazy);
            Func<string> inner = () => field!.ToString();
            return choice switch
            {
                0 => new Uri("a:b").ToString(),
                1 => typeof(TimeZoneInfo).Name,
                2 => "x",
                3 => "y",
                4 => "z",
                _ => inner()
            };
        }
    }

    // Of the nearest room around a namespace: generated code has deeper ones. Elsewhere (the binding, .NET) there are none.
    static int Rank(string? space)
    {
        for (; space is not null && space != "DistillSharp"; space = space.LastIndexOf('.') is > 0 and var at ? space[..at] : null)
            if (Array.IndexOf(rooms, space) is >= 0 and var rank) return rank;
        return -1;
    }

    // The longest room that a qualified name begins with.
    static IEnumerable<string> NamedRooms(string text) =>
        from Match match in QualifiedName().Matches(SourceTree.Code(text))
        let room =
            rooms.Skip(1).Where(room => match.Value == room || match.Value.StartsWith(room + ".", StringComparison.Ordinal))
                .MaxBy(room => room.Length)
        where room is not null
        select room;

    static IEnumerable<string> DeclaredTypes(string text) =>
        from Match match in TypeDeclaration().Matches(SourceTree.Code(text))
        select match.Groups[1].Value;

    static IEnumerable<(string File, string Folder)> Sources() =>
        from library in libraries
        from file in SourceTree.Files($"src/{library}", ".cs")
        let below = Path.GetRelativePath(Path.Combine(SourceTree.Root, "src", library), file).Split('/')[..^1]
        select (file, string.Join('.', [library, .. below]));

    static void None(IEnumerable<string> wrong) => Assert.True(!wrong.Any(), string.Join('\n', wrong));

    static string Shown(string file) => Path.GetRelativePath(SourceTree.Root, file);

    // Rows of the page's table, but for whole projects.
    [GeneratedRegex(@"^\| (`[A-Z]\w*`(?:, `[A-Z]\w*`)*) \|", RegexOptions.Multiline)]
    private static partial Regex RoomOfPage();

    [GeneratedRegex(@"`(\w+)`")]
    private static partial Regex RoomName();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"\bDistillSharp(\.\w+)+")]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"^(?:[a-z]+ )*(?:class|struct|enum|interface|record(?: struct)?) (\w+)", RegexOptions.Multiline)]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"\b(Tensor|TensorScope|Operator|Autograd|Functional|Initialize|DllImport|LibraryImport|unsafe)\b")]
    private static partial Regex Computing();

    [GeneratedRegex("""\"[^"]*(?<!\w)--[a-z][a-z-]*""")]
    private static partial Regex OptionInText();

    // Other programs' options.
    [GeneratedRegex("sudo |eng/")]
    private static partial Regex NotOurs();
}
