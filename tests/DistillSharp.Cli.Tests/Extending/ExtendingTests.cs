using System.Diagnostics;
using DistillSharp.Extending;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests;
using MyExperiment;

namespace DistillSharp.Cli.Tests.Extending;

/// <summary>docs/extending.md shows the files of tests/MyExperiment, and the program that they make does what the page says.</summary>
public sealed class ExtendingTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    static string Root { get; } = AppContext.BaseDirectory[..AppContext.BaseDirectory.IndexOf("/artifacts/", StringComparison.Ordinal)];

    static string Program(string project, string file) => Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, $"../../{project}", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), file));

    static string Page { get; } = File.ReadAllText(Path.Combine(Root, "docs/extending.md"));

    public ExtendingTests()
    {
        Directory.CreateDirectory(folder["data"]);
        Directory.CreateDirectory(folder["teachers"]);
        foreach (var (name, count) in new[] { ("data/optdigits.tra", 40), ("data/optdigits.tes", 20) })
            File.WriteAllLines(folder[name], Enumerable.Range(0, count).Select(i =>
                string.Join(',', Enumerable.Range(0, 64).Select(at => (at * (i % 10 + 1) + i) % 17).Append(i % 10))));
        using var teacher = Networks.Create("resnet8", 10, seed: 3);
        PyTorchFile.Write(folder["teachers/resnet8.pth"], teacher.StoredState());
        foreach (var name in new[] { "recipe.yaml", "sweep.yaml" }) File.WriteAllText(folder[name], Shown(name));
    }

    public void Dispose() => folder.Dispose();

    // The page's block whose first line names the file.
    static string Shown(string file)
    {
        var start = Page.IndexOf($"    # {file}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/extending.md shows no {file}");
        return string.Join(
            '\n', Page[start..].Split('\n').TakeWhile(line => line.StartsWith("    ", StringComparison.Ordinal)).Select(line => line[4..]));
    }

    string Run(string program, int code, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder.Path,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == code, $"{string.Join(' ', arguments)}: {process.ExitCode}\n{output}\n{error.Result}");
        return output + error.Result;
    }

    [Theory]
    [InlineData("SimilarityPreserving.cs")]
    [InlineData("PlainNet.cs")]
    [InlineData("OptDigits.cs")]
    [InlineData("Additions.cs")]
    [InlineData("Program.cs")]
    public void The_page_shows_the_code_that_is_tested(string file) =>
        Assert.Contains($"```csharp\n{File.ReadAllText(Path.Combine(Root, "tests/MyExperiment", file))}```\n", Page);

    [Fact]
    public void The_program_trains_sweeps_and_reports_with_what_it_adds()
    {
        var own = Program("MyExperiment", "MyExperiment.dll");
        var trained = Run(own, 0, "train", "recipe.yaml", "--name", "first", "--set", "train.epochs=1");
        Assert.Contains("similarity: student stage 2 meets teacher stage 2", trained);
        Assert.Contains("plain: Acc1 ", trained);

        var swept = Run(own, 0, "sweep", "sweep.yaml", "--epochs", "1");
        Assert.Contains("4 runs: 4 finished", swept);

        Run(own, 0, "report", "runs/first", "runs/resnet8-plain-similarity-s1", "--points", "20", "--html", "report.html");
        Assert.Contains("similarity", File.ReadAllText(folder["report.html"]));
        Run(own, 0, "export", "runs/first", "--onnx", "student.onnx");
        Assert.Contains("plain on 20 test images of optdigits", Run(own, 0, "eval", "runs/first"));
    }

    [Fact]
    public void The_command_takes_the_same_as_a_plugin()
    {
        var (distill, plugin) = (Program("Distill", "distill.dll"), Program("MyExperiment", "MyExperiment.dll"));
        Assert.Contains("there is no such network", Run(distill, 2, "recipe", "check", "recipe.yaml", "--set", "data.set=mnist"));
        Assert.Contains(
            "plain: Acc1 ", Run(distill, 0, "train", "recipe.yaml", "--set", "train.epochs=1", "--name", "first", "--plugin", plugin));
        Assert.Contains("4 runs: 4 finished", Run(distill, 0, "sweep", "sweep.yaml", "--epochs", "1", "--plugin", plugin));
        Assert.Contains("plain on 20 test images of optdigits", Run(distill, 0, "eval", "runs/first", "--plugin", plugin));
    }

    [Theory]
    [InlineData("nowhere.dll", "there is no plugin 'nowhere.dll'")]
    [InlineData("recipe.yaml", "the plugin 'recipe.yaml' cannot be loaded: it is no .NET assembly")]
    [InlineData("", "has no public static void Register(Toolkit toolkit)")]
    public void A_file_that_is_no_plugin_is_refused(string file, string said) =>
        Assert.Contains(
            said, Run(
                Program("Distill", "distill.dll"), 1, "models", "--plugin", file.Length > 0 ? file
                : typeof(DistillSharp.Torch.Tensor).Assembly.Location));

    [Fact]
    public void The_network_serves_every_other_method()
    {
        using var student = new PlainNet("plain", 4);
        Assert.Equal("16x32x32 16x32x32 32x16x16 64x8x8", string.Join(' ', student.Describe().Stages));
        foreach (var name in DistillationMethods.Names)
        {
            using var method = DistillationMethods.Create(name);
            method.Bind(new(PairMember.Of(student, 32), PairMember.Of(student, 32), 4, new[] { 0, 1 }));
        }
    }

    [Fact]
    public void The_shared_toolkit_takes_nothing_and_a_name_counts_once()
    {
        Assert.Throws<InvalidOperationException>(() => Additions.Register(Toolkit.BuiltIn));
        var toolkit = new Toolkit();
        Additions.Register(toolkit);
        Assert.Throws<ArgumentException>(() => Additions.Register(toolkit));
        Assert.DoesNotContain("plain", Toolkit.BuiltIn.Networks.Names);
        Assert.EndsWith("did you mean 'similarity'?", Assert.Throws<UsageException>(() => toolkit.Methods["similarty"]).Message);
    }
}
