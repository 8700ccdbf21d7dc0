using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using DistillSharp.Extending;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Models;
using DistillSharp.Tests;
using DistillSharp.Verification;
using SkiaSharp;

namespace DistillSharp.Cli.Tests.Examples;

/// <summary>The examples that run an exported student by ONNX Runtime see in photographs what the command sees.</summary>
public sealed class ServingTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_service_answers_with_the_commands_probabilities_and_counts_them()
    {
        var student = Export("--with-preprocessing");
        using var service = Start("service", "Service", "--model", student, "--urls", "http://127.0.0.1:0");
        try
        {
            using var client = new HttpClient { BaseAddress = new(await Address(service)) };
            Assert.Equal("Healthy", await client.GetStringAsync("health"));
            foreach (var photograph in Photographs())
            {
                using var answer = await client.PostAsync("classify?top=10", new ByteArrayContent(File.ReadAllBytes(photograph)));
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                var guesses = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.EnumerateArray()
                    .Select(guess => (guess.GetProperty("class").GetString()!, guess.GetProperty("probability").GetDouble())).ToList();
                AssertSame(Predicted(student, photograph), guesses, 1e-3);
            }
            var few = JsonDocument.Parse(
                await (await client.PostAsync("classify?top=2", new ByteArrayContent(File.ReadAllBytes(Photographs()[0]))))
                    .Content.ReadAsStringAsync());
            Assert.Equal(2, few.RootElement.GetArrayLength());

            using var refused = await client.PostAsync("classify", new StringContent("no image"));
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains("the body is no image that can be read", await refused.Content.ReadAsStringAsync());
            var metrics = await client.GetStringAsync("metrics");
            Assert.Matches($@"(?m)^student_classify_seconds_count {Photographs().Length + 1}$", metrics);
            Assert.Matches(@"(?m)^student_refused_total 1$", metrics);
        }
        finally
        {
            service.Kill();
            service.WaitForExit();
        }
    }

    [Fact]
    public void The_console_prints_the_commands_probabilities()
    {
        var student = Export("--with-preprocessing", "--int8");
        foreach (var photograph in Photographs())
        {
            using var console = Start("console", "classify", student, photograph);
            var said = console.StandardOutput.ReadToEnd();
            console.WaitForExit();
            Assert.Equal(0, console.ExitCode);
            var guesses = said.TrimEnd().Split('\n').Select(line => Regex.Match(line, @"^(.*) (\d\.\d+)$"))
                .Select(line => (line.Groups[1].Value, double.Parse(line.Groups[2].Value, CultureInfo.InvariantCulture))).ToList();
            AssertSame(Predicted(student, photograph)[..5], guesses, 1e-3);
        }
    }

    [Fact]
    public void A_file_that_cannot_be_served_is_one_sentence()
    {
        foreach (var (file, said) in new[]
        {
            (Export(), "student.onnx cannot be served: it takes no pixels; export it with --with-preprocessing"),
            (folder["none.onnx"], "none.onnx cannot be served: "),
        })
        {
            using var service = Start("service", "Service", "--model", file, "--urls", "http://127.0.0.1:0");
            var error = service.StandardError.ReadToEnd();
            service.WaitForExit();
            Assert.Equal(1, service.ExitCode);
            Assert.Contains(said, error);
            Assert.Single(error.TrimEnd().Split('\n'));
        }
    }

    [Fact]
    public void They_are_short_and_use_the_packages_that_the_project_was_tested_with()
    {
        var root = Root();
        Assert.InRange(File.ReadAllLines(Path.Combine(root, "examples/service/Program.cs")).Length, 1, 99);
        Assert.InRange(File.ReadAllLines(Path.Combine(root, "examples/console/Program.cs")).Length, 1, 20);
        var own = XDocument.Load(Path.Combine(root, "Directory.Packages.props")).Descendants("PackageVersion")
            .ToDictionary(package => package.Attribute("Include")!.Value, package => package.Attribute("Version")!.Value);
        foreach (var project in new[] { "service/Service", "console/Console" })
        {
            var used = XDocument.Load(Path.Combine(root, $"examples/{project}.csproj")).Descendants("PackageReference")
                .Where(package => own.ContainsKey(package.Attribute("Include")!.Value)).ToList();
            Assert.Equal(3, used.Count);
            Assert.All(used, package => Assert.Equal(own[package.Attribute("Include")!.Value], package.Attribute("Version")!.Value));
        }
    }

    static void AssertSame(
        IReadOnlyList<(string Class, double Probability)> expected, IReadOnlyList<(string Class, double Probability)> given, double within)
    {
        Assert.Equal(expected.Count, given.Count);
        var probabilities = given.ToDictionary(guess => guess.Class, guess => guess.Probability);
        Assert.All(expected, guess => Assert.Equal(guess.Probability, probabilities[guess.Class], within));
        Assert.Equal(expected[0].Class, given[0].Class);
    }

    string Export(params string[] options)
    {
        using (var network = Networks.Create("resnet8", 10, seed: 1))
        {
            new ReferenceValues("serving").Fill(network);
            PyTorchFile.Write(folder["student.pth"], network.StoredState());
        }
        string[] source = ["--model", "resnet8", "--weights", folder["student.pth"], "--data", "cifar10"];
        if (options.Contains("--int8")) source = [.. source, "--root", SmallCifar()];
        var session = new Session();
        var code = session.Run(CommandList.All(), ["export", .. source, "--onnx", folder["student.onnx"], .. options]);
        Assert.True(code == 0, session.Error);
        return folder["student.onnx"];
    }

    // The binary version of CIFAR-10: a byte for the class, then the three planes.
    string SmallCifar()
    {
        var pixels = new byte[20 * 32 * 32 * 3];
        new Random(1).NextBytes(pixels);
        var records = pixels.Chunk(32 * 32 * 3).SelectMany((image, i) => image.Prepend((byte)(i % 10))).ToArray();
        var data = Directory.CreateDirectory(folder["data/cifar-10-batches-bin"]).FullName;
        foreach (var name in Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin").Append("test_batch.bin"))
            File.WriteAllBytes(Path.Combine(data, name), records);
        File.WriteAllLines(Path.Combine(data, "batches.meta.txt"), Toolkit.BuiltIn.Datasets["cifar10"].ClassNames!);
        return folder["data"];
    }

    // The same each time: sky over grass, lying, upright and gray.
    string[] Photographs()
    {
        if (Directory.Exists(folder["photographs"])) return [.. Directory.GetFiles(folder["photographs"]).Order()];
        Directory.CreateDirectory(folder["photographs"]);
        Photograph("lying.jpg", 500, 375, SKEncodedImageFormat.Jpeg, gray: false);
        Photograph("upright.png", 90, 121, SKEncodedImageFormat.Png, gray: false);
        Photograph("gray.jpg", 161, 160, SKEncodedImageFormat.Jpeg, gray: true);
        return Photographs();
    }

    void Photograph(string name, int width, int height, SKEncodedImageFormat format, bool gray)
    {
        using var bitmap = new SKBitmap(width, height, gray ? SKColorType.Gray8 : SKColorType.Rgba8888, SKAlphaType.Opaque);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.SkyBlue);
            using var grass = new SKPaint { Color = SKColors.DarkGreen };
            canvas.DrawRect(0, height * .6f, width, height, grass);
            using var sun = new SKPaint { Color = SKColors.Gold, IsAntialias = true };
            canvas.DrawCircle(width * .7f, height * .3f, height * .15f, sun);
        }
        using var data = bitmap.Encode(format, 90);
        File.WriteAllBytes(folder[$"photographs/{name}"], data.ToArray());
    }

    static List<(string Class, double Probability)> Predicted(string student, string photograph)
    {
        var session = new Session();
        Assert.Equal(0, session.Run(CommandList.All(), "predict", student, photograph, "--top", "10", "--json"));
        return [.. JsonDocument.Parse(session.Out).RootElement[0].GetProperty("guesses").EnumerateArray()
            .Select(guess => (guess.GetProperty("class").GetString()!, guess.GetProperty("probability").GetDouble()))];
    }

    static async Task<string> Address(Process service)
    {
        while (await service.StandardOutput.ReadLineAsync() is { } line)
            if (Regex.Match(line, @"Now listening on: (http://\S+)") is { Success: true } listening)
                return listening.Groups[1].Value + "/";
        throw new InvalidOperationException($"the service ended: {await service.StandardError.ReadToEndAsync()}");
    }

    static Process Start(string example, string program, params string[] arguments)
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var built = Directory.GetFiles(Path.Combine(Root(), "examples", example, "bin"), $"{program}.dll", SearchOption.AllDirectories)
            .Single(file => file.Contains($"/{configuration}/", StringComparison.OrdinalIgnoreCase));
        return Process.Start(new ProcessStartInfo("dotnet", ["exec", built, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
    }

    static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at!.FullName, "DistillSharp.slnx"))) at = at.Parent;
        return at.FullName;
    }
}
