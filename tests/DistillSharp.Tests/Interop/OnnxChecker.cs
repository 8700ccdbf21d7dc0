using System.Diagnostics;
using System.Text.Json;

namespace DistillSharp.Tests.Interop;

/// <summary>Python's onnx package with its checker.</summary>
static class OnnxChecker
{
    const string Python = "/usr/bin/python3";

    static readonly Lazy<bool> exists = new(() => File.Exists(Python) && Start("-c", "import onnx").ExitCode == 0);

    public static bool Exists => exists.Value;

    /// <summary>Checks files and returns what each says of itself.</summary>
    public static JsonElement[] Check(params string[] files)
    {
        var (exitCode, output, error) = Start([Path.Combine(SourceTree.Root, "tests", "onnx", "check.py"), .. files]);
        Assert.True(exitCode == 0, error);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    static (int ExitCode, string Output, string Error) Start(params string[] arguments)
    {
        using var process =
            Process.Start(new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}

/// <summary>A fact that runs only where the system's Python has onnx.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class OnnxCheckerFactAttribute : FactAttribute
{
    public OnnxCheckerFactAttribute()
    {
        if (!OnnxChecker.Exists) Skip = "the system's Python has no onnx (Debian: python3-onnx)";
    }
}

/// <summary>A theory that runs only where the system's Python has onnx.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class OnnxCheckerTheoryAttribute : TheoryAttribute
{
    public OnnxCheckerTheoryAttribute() => Skip = new OnnxCheckerFactAttribute().Skip;
}
