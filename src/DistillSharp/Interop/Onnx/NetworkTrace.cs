using DistillSharp.Models;

namespace DistillSharp.Interop.Onnx;

/// <summary>
/// What a network computes in evaluation mode, operator by operator. It is run with batches of two sizes: a dimension that
/// differs between them is the batch, one that does not is the network's own.
/// </summary>
/// <param name="Calls">The calls in order. Their tensors are names only: the elements are freed.</param>
/// <param name="Other">The same calls with the other batch.</param>
/// <param name="Input">The images.</param>
/// <param name="Logits">The result.</param>
sealed record NetworkTrace(IReadOnlyList<TracedCall> Calls, IReadOnlyList<TracedCall> Other, Tensor Input, Tensor Logits)
{
    /// <summary>Whether a dimension of a call's result grows with the batch.</summary>
    public bool IsBatch(int call, int result, int dimension) =>
        Calls[call].Shapes[result][dimension] != Other[call].Shapes[result][dimension];

    public static NetworkTrace Of(Classifier network, Size2 image)
    {
        if (network is TorchScriptNetwork)
            throw new UserException(
                $"{network.Name} cannot be written as ONNX: it is TorchScript, whose operators cannot be seen from here");
        using var evaluating = new Evaluating(network);
        var (calls, input, logits) = Run(network, image, batch: 2);
        var (other, _, _) = Run(network, image, batch: 3);
        if (!calls.Select(call => call.Operator).SequenceEqual(other.Select(call => call.Operator)))
            throw new UserException($"{network.Name} cannot be written as ONNX: it computes differently for batches of different sizes");
        return new(calls, other, input, logits);
    }

    static (IReadOnlyList<TracedCall> Calls, Tensor Input, Tensor Logits) Run(Classifier network, Size2 image, long batch)
    {
        using var scope = TensorScope.Open();
        var input = Tensor.Zeros([batch, 3, image.Height, image.Width], device: network.Device);
        using var trace = OperatorTrace.Record();
        var logits = network.Forward(input).Logits;
        return (trace.Calls, input, logits);
    }
}
