using System.Diagnostics;
using System.Text.Json;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Interop;

/// <summary>ONNX Runtime by way of Node, as the judge of exported models.</summary>
static class OnnxRuntime
{
    static string Script => Path.Combine(SourceTree.Root, "tests", "onnx", "run.js");

    static readonly Lazy<bool> exists = new(() =>
    {
        var folder = Environment.GetEnvironmentVariable("ONNXRUNTIME_NODE") is { Length: > 0 } named ? named : Path.Combine(SourceTree.Root, "artifacts", "node");
        return Directory.Exists(Path.Combine(folder, "node_modules", "onnxruntime-node"))
            && Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(place => File.Exists(Path.Combine(place, "node")));
    });

    public static bool Exists => exists.Value;

    /// <summary>A model file and the images to run it on.</summary>
    public sealed record Job(string Model, Tensor Images);

    /// <summary>The logits of each job, [N * classes]. Checks the names and shapes of inputs and outputs.</summary>
    public static float[][] Run(params Job[] jobs)
    {
        var request = jobs.Select((job, i) =>
        {
            File.WriteAllBytes($"{job.Model}.{i}.in", job.Images.Contiguous().Bytes());
            return new { model = job.Model, input = $"{job.Model}.{i}.in", type = job.Images.DType == DType.UInt8 ? "uint8" : "float32", shape = job.Images.Shape, output = $"{job.Model}.{i}.out" };
        }).ToArray();
        using var node = Process.Start(new ProcessStartInfo("node", [Script])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        node.StandardInput.Write(JsonSerializer.Serialize(request));
        node.StandardInput.Close();
        var error = node.StandardError.ReadToEndAsync();
        var answers = node.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        node.WaitForExit();
        Assert.True(node.ExitCode == 0, $"{jobs.ElementAtOrDefault(answers.Length)?.Model}: {error.Result}");
        return [.. jobs.Select((job, i) =>
        {
            var said = JsonDocument.Parse(answers[i]).RootElement;
            Assert.Equal("""["images"]""", said.GetProperty("inputs").GetRawText());
            Assert.Equal("""["logits"]""", said.GetProperty("outputs").GetRawText());
            Assert.Equal(job.Images.Shape[0], said.GetProperty("shape")[0].GetInt64());
            var bytes = File.ReadAllBytes(request[i].output);
            var logits = new float[bytes.Length / sizeof(float)];
            Buffer.BlockCopy(bytes, 0, logits, 0, bytes.Length);
            return logits;
        })];
    }

    /// <summary>||actual - expected|| / ||expected||.</summary>
    public static double RelativeError(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double difference = 0, whole = 0;
        for (var i = 0; i < actual.Length; i++)
        {
            difference += Math.Pow((double)actual[i] - expected[i], 2);
            whole += Math.Pow(expected[i], 2);
        }
        return Math.Sqrt(difference / whole);
    }
}

/// <summary>A fact that runs only where ONNX Runtime is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class OnnxRuntimeFactAttribute : FactAttribute
{
    public OnnxRuntimeFactAttribute(bool needsShared = false)
    {
        if (needsShared) Skip = new SharedFactAttribute().Skip;
        if (!OnnxRuntime.Exists) Skip = "there is no onnxruntime-node in artifacts/node (eng/setup.sh --tests installs it)";
    }
}

/// <summary>A theory that runs only where ONNX Runtime is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class OnnxRuntimeTheoryAttribute : TheoryAttribute
{
    public OnnxRuntimeTheoryAttribute(bool needsShared = false) => Skip = new OnnxRuntimeFactAttribute(needsShared).Skip;
}

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
        using var process = Process.Start(new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
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
