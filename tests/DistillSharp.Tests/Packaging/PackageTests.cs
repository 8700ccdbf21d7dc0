using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using DistillSharp.Tests.Data;

namespace DistillSharp.Tests.Packaging;

/// <summary>What <c>dotnet pack</c> makes holds all that a program needs, and a program outside the solution runs on it.</summary>
public sealed class PackageTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_example_builds_on_the_packages_and_distils()
    {
        Pack();
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "README.md"));
        var listed = Regex.Match(page, @"comes as packages \(([^;]+);").Groups[1].Value;
        string[] packages = [.. Regex.Matches(listed, "`([^`]+)`").Select(name => name.Groups[1].Value)];
        Assert.Equal(packages.Order(), Directory.GetFiles(folder["packages"]).Select(Id).Order());
        foreach (var package in packages)
        {
            string[] native = package == "DistillSharp.Torch" ? [$"runtimes/linux-{Architecture}/native/libdistillsharp_native.so"] : [];
            AssertHolds(Package(package), package, native);
            // Whatever else a program needs comes with it, in the version that was packed beside it.
            var needed = Needed(package).Where(one => one.Id.StartsWith("DistillSharp", StringComparison.Ordinal)).ToList();
            Assert.Equal(package == "DistillSharp.Torch", needed.Count == 0);
            Assert.All(needed, one => Assert.Equal(Version(Package(one.Id)), one.Version));
        }
        Assert.Contains(Needed("DistillSharp.Onnx"), one => one.Id == "Microsoft.ML.OnnxRuntime");

        foreach (var file in SourceTree.Files("examples/fashion-mnist", ".cs", ".csproj"))
        {
            Directory.CreateDirectory(folder["example"]);
            File.Copy(file, folder[$"example/{Path.GetFileName(file)}"]);
        }
        // The folder of packages that this build was restored from serves as the other source: nothing is fetched.
        var restored = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        Dotnet("build", folder["example"], "-o", folder["program"], "-nodeReuse:false", "-p:UseSharedCompilation=false",
            $"-p:DistillSharpPackages={folder["packages"]}", $"-p:RestoreSources={folder["packages"]}%3B{restored}");

        // What a program that names the library alone takes with it.
        var taken = Dotnet("list", folder["example"], "package", "--include-transitive", "--no-restore");
        Assert.Matches(@"> DistillSharp +0\.1\.0", taken);
        Assert.Contains("> DistillSharp.Torch ", taken);
        string[] foreign = ["YamlDotNet", "Sqlite", "SQLitePCL", "Plot", "OnnxRuntime", "Spectre", "System.CommandLine"];
        Assert.All(foreign, name => Assert.DoesNotContain(name, taken, StringComparison.OrdinalIgnoreCase));

        var real = Directory.Exists(RealData.FashionMnistRoot);
        var said =
            Dotnet(folder["program/FashionMnist.dll"], real ? RealData.FashionMnistRoot : SmallData(), real ? "1000" : "40", "2")
                .Split('\n');
        Assert.Equal(5, said.Length);
        Assert.All(said[..2], line => Assert.Matches(@"^teacher, epoch \d: Acc1 [\d.]+ %, ce [\d.]+$", line));
        Assert.All(said[2..4], line => Assert.Matches(@"^student, epoch \d: Acc1 [\d.]+ %, ce [\d.]+, agreement [\d.]+$", line));
        // Two epochs of 1,000 images: not much, but far from guessing.
        if (real) Assert.InRange(double.Parse(Regex.Match(said[3], @"[\d.]+(?= %)").Value, CultureInfo.InvariantCulture), 20, 80);
        Assert.StartsWith("student.onnx: 6418 parameters", said[4]);
        Assert.True(new FileInfo(folder["student.onnx"]).Length > 4 * 6418);
    }

    static string Architecture => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    // All packages at once: one start of MSBuild instead of six.
    void Pack()
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        Dotnet(
            "pack", Path.Combine(SourceTree.Root, "DistillSharp.slnx"), "--no-build", "-c", configuration, "-o", folder["packages"],
            "-nodeReuse:false");
    }

    string Package(string id) => Assert.Single(Directory.GetFiles(folder["packages"]), file => Id(file) == id);

    static string Id(string package) => Regex.Replace(Path.GetFileName(package), @"\.\d+\.\d+\.\d+\.nupkg$", "");

    IEnumerable<(string Id, string Version)> Needed(string package) =>
        Nuspec(Package(package)).Descendants().Where(element => element.Name.LocalName == "dependency")
            .Select(dependency => (dependency.Attribute("id")!.Value, dependency.Attribute("version")!.Value));

    static void AssertHolds(string package, string assembly, params string[] more)
    {
        using var zip = ZipFile.OpenRead(package);
        string[] needed = [$"lib/net10.0/{assembly}.dll", $"lib/net10.0/{assembly}.xml", "README.md", .. more];
        Assert.All(needed, name => Assert.Contains(name, zip.Entries.Select(entry => entry.FullName)));
        var metadata = Nuspec(package).Root!.Elements().Single();
        string Of(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
        Assert.Equal((assembly, "MIT", "README.md", "The DistillSharp developers"), (Of("id"), Of("license"), Of("readme"), Of("authors")));
        Assert.NotEqual("Package Description", Of("description"));
        // A package says nothing of the machine it was made on.
        foreach (var entry in zip.Entries.Where(entry => entry.Name.EndsWith(".xml") || entry.Name.EndsWith(".nuspec")))
            Assert.DoesNotContain(SourceTree.Root + "/", new StreamReader(entry.Open()).ReadToEnd());
    }

    static XDocument Nuspec(string package)
    {
        using var zip = ZipFile.OpenRead(package);
        using var stream = zip.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(stream);
    }

    static string Version(string package) => Nuspec(package).Descendants().Single(element => element.Name.LocalName == "version").Value;

    // The four files of Fashion-MNIST with 40 and 20 images of noise.
    string SmallData()
    {
        SmallFiles.Write(folder["data"],
        [
            ("train-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(40 * 784, 1), 40, 28, 28)),
            ("train-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 40).Select(i => (byte)(i % 10))], 40)),
            ("t10k-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(20 * 784, 2), 20, 28, 28)),
            ("t10k-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 20).Select(i => (byte)(i % 10))], 20)),
        ]);
        return folder["data"];
    }

    string Dotnet(params string[] arguments)
    {
        var start =
            new ProcessStartInfo(
                ChildProgram.Command[0], arguments)
            {
                WorkingDirectory = folder.Path, RedirectStandardOutput = true, RedirectStandardError = true
            };
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        // The example is to find the library in its package.
        start.Environment.Remove("DISTILLSHARP_NATIVE");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: {output}{error.Result}");
        return output.TrimEnd();
    }
}
