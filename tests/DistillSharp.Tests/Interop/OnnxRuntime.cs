using DistillSharp.Torch;
using Microsoft.ML.OnnxRuntime;

namespace DistillSharp.Tests.Interop;

/// <summary>ONNX Runtime as the judge of exported models.</summary>
static class OnnxRuntime
{
    /// <summary>The logits of a model file, [N * classes]. Checks the names of inputs and outputs and the size of the batch.</summary>
    public static float[] Run(string model, Tensor images)
    {
        using var options =
            new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(model, options);
        Assert.Equal(["images"], session.InputNames);
        Assert.Equal(["logits"], session.OutputNames);
        long[] shape = [.. images.Shape];
        using var input = images.DType == DType.UInt8
            ? OrtValue.CreateTensorValueFromMemory(images.ToArray<byte>(), shape)
            : OrtValue.CreateTensorValueFromMemory(images.ToArray<float>(), shape);
        using var run = new RunOptions();
        using var results = session.Run(run, session.InputNames, [input], session.OutputNames);
        Assert.Equal(shape[0], results[0].GetTensorTypeAndShape().Shape[0]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
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
