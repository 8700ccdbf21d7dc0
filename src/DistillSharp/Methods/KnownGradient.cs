namespace DistillSharp.Methods;

/// <summary>
/// Losses whose gradient is known as soon as they are: those that are computed piece by piece, each piece with its backward pass,
/// so that the graph of only one piece is in memory at a time, and those whose gradient is written out. What comes out is an
/// ordinary loss: its backward pass hands the gradient on.
/// </summary>
static class KnownGradient
{
    /// <summary>The sum of the pieces, with its gradient for the variable.</summary>
    /// <param name="pieces">How many pieces there are.</param>
    /// <param name="piece">
    /// Computes one piece (a single element) from a stand-in for the variable, which holds the same values. What it makes is freed
    /// after each piece.
    /// </param>
    /// <param name="variable">What the loss is differentiated for.</param>
    public static Tensor Sum(int pieces, Func<int, Tensor, Tensor> piece, Tensor variable)
    {
        using var scope = TensorScope.Open();
        var learns = Autograd.Enabled && variable.RequiresGrad;
        var standIn = variable.Detach();
        standIn.RequiresGrad = learns;

        var value = Tensor.Scalar(0, DType.Float64, variable.Device);
        for (var k = 0; k < pieces; k++)
        {
            using var inner = TensorScope.Open();
            var part = piece(k, standIn);
            if (learns) part.Backward();
            using var off = Autograd.NoGrad();
            value.AddInPlace(part.Detach());
        }
        if (learns) value += Nothing(variable, standIn.Grad!);
        return scope.Keep(value.To(DType.Float32));
    }

    /// <summary>
    /// What adds a gradient for a variable, of its shape, to a value (a single element) and leaves the value: x - x is exactly 0 and has
    /// the gradient of x.
    /// </summary>
    public static Tensor Nothing(Tensor variable, Tensor gradient)
    {
        var x = variable.Flatten().Dot(gradient.Flatten());
        return x - x.Detach();
    }
}
