using System.Text.Json;

namespace DistillSharp.Tests.Packaging;

/// <summary>What a program that references only the library takes with it, by what its own restore found.</summary>
public class PackageClosureTests
{
    [Fact]
    public void The_library_brings_no_yaml_no_sqlite_and_no_plotting()
    {
        var (library, experiments) = (PackagesOf("DistillSharp"), PackagesOf("DistillSharp.Experiments"));
        Assert.Contains("System.IO.Hashing", library);
        string[] foreign = ["YamlDotNet", "Sqlite", "SQLitePCL", "Plot", "OnnxRuntime", "Spectre", "System.CommandLine"];
        Assert.DoesNotContain(library, package => foreign.Any(name => package.Contains(name, StringComparison.OrdinalIgnoreCase)));
        // Where they are, they are seen.
        Assert.Contains(experiments, package => package.Contains("YamlDotNet", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(experiments, package => package.Contains("Sqlite", StringComparison.OrdinalIgnoreCase));
    }

    static string[] PackagesOf(string project)
    {
        var file = Path.Combine(SourceTree.Root, "artifacts", "obj", project, "project.assets.json");
        using var assets = JsonDocument.Parse(File.ReadAllBytes(file));
        var target = Assert.Single(assets.RootElement.GetProperty("targets").EnumerateObject(), target => !target.Name.Contains('/'));
        return [.. target.Value.EnumerateObject().Select(package => package.Name.Split('/')[0])];
    }
}
