using System.Diagnostics;

namespace DistillSharp.Cli.Tests;

/// <summary>The help page must come at once: it may not wait for libtorch, or for libraries that only commands need.</summary>
public class StartupTests
{
    [Fact]
    public void Help_loads_neither_libtorch_nor_what_only_commands_need()
    {
        var maps = Path.Combine(Path.GetTempPath(), $"distill-maps-{Guid.NewGuid():N}");
        try
        {
            var (code, output) = Start(maps, "--help");
            Assert.Equal(0, code);
            Assert.Contains("Usage:", output);
            var mapped = File.ReadAllText(maps);
            Assert.Contains("System.CommandLine.dll", mapped);
            foreach (
                var absent in new[] {
                    "libdistillsharp_native", "libtorch", "Spectre.Console.dll", "YamlDotNet.dll", "Microsoft.Data.Sqlite.dll",
                    "System.Text.Json.dll" })
                Assert.DoesNotContain(absent, mapped);
        }
        finally
        {
            File.Delete(maps);
        }
    }

    [Fact]
    public void Wrong_use_of_the_real_program_exits_with_2()
    {
        var (code, _) = Start(null, "--vresion");
        Assert.Equal(2, code);
    }

    [Theory]
    [InlineData("/no/such/library.so", "DISTILLSHARP_NATIVE names /no/such/library.so, and there is no such file")]
    [InlineData(
        "/etc/passwd", "/etc/passwd cannot be loaded (/etc/passwd: ", "; it needs the libtorch it was built against: install that one")]
    public void A_native_library_that_does_not_load_is_one_sentence(string file, params string[] said)
    {
        var (code, output) = Start(null, "doctor", ("DISTILLSHARP_NATIVE", file));
        Assert.Equal(1, code);
        Assert.StartsWith("distill: ", output);
        Assert.All(said, words => Assert.Contains(words, output));
        Assert.Single(output.TrimEnd().Split('\n'));
    }

    static (int Code, string Output) Start(string? maps, string argument, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "distill.dll"), argument])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (maps is not null)
        {
            start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
            start.Environment[StartupHook.Target] = maps;
        }
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
