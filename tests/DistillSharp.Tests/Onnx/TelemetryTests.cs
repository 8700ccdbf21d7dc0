using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Onnx;

namespace DistillSharp.Tests.Onnx;

/// <summary>ONNX Runtime, which reports its use unless it is told not to, leaves nothing behind.</summary>
public sealed class TelemetryTests : IDisposable
{
    public const string Role = "open-onnx";

    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>The child.</summary>
    public static int Open(string[] arguments)
    {
        using var classifier = new OnnxClassifier(arguments[0]);
        return classifier.Classes ?? 0;
    }

    [Fact]
    public void Running_a_file_writes_nothing_into_the_users_cache()
    {
        using (var network = Networks.Create("resnet8", 3, seed: 1)) network.ExportOnnx(folder["a.onnx"]);
        Directory.CreateDirectory(folder["home"]);
        using var child = ChildProgram.StartIn(
            $"export HOME='{folder["home"]}'; unset ORT_DISABLE_TELEMETRY XDG_CACHE_HOME", Role, folder["a.onnx"]);
        var said = child.StandardError.ReadToEnd();
        child.WaitForExit();
        Assert.Equal((3, ""), (child.ExitCode, said));
        Assert.DoesNotContain(Directory.GetFiles(folder["home"], "*", SearchOption.AllDirectories), file => file.Contains("onnx"));
    }
}
