using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace DistillSharp.Onnx;

/// <summary>What all users of ONNX Runtime do alike.</summary>
static partial class OnnxSession
{
    // Else ONNX Runtime keeps a number of this machine in the user's cache and reports its use to its makers. It reads the variable when
    // it is loaded, and sees none that .NET sets. What the user set stays.
    static OnnxSession()
    {
        if (!OperatingSystem.IsWindows()) _ = SetVariable("ORT_DISABLE_TELEMETRY", "1", overwrite: 0);
    }

    /// <summary>Opens a model.</summary>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="open">Makes the session, from a file or from memory.</param>
    /// <param name="threads">Threads of one run; 0 for as many as there are cores.</param>
    /// <exception cref="UserException">ONNX Runtime cannot run it.</exception>
    public static InferenceSession Open(string name, Func<SessionOptions, InferenceSession> open, int threads = 0)
    {
        // What it cannot do for a graph it says as an error; its warnings are for its own developers.
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        try { return open(options); }
        catch (OnnxRuntimeException e) { throw new UserException($"'{name}' is no model that ONNX Runtime can run: {Reason(e)}", e); }
    }

    /// <summary>Why ONNX Runtime failed: <c>[ErrorCode:InvalidProtobuf] Load model failed...</c> without the code.</summary>
    public static string Reason(OnnxRuntimeException e) =>
        e.Message[(e.Message.IndexOf(']', StringComparison.Ordinal) + 1)..].Trim().TrimEnd('.');

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
