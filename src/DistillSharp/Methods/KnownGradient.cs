namespace DistillSharp.Methods;

/// <summary>
/// Losses whose gradient is known as soon as they are: those that are computed piece by piece, each piece with its backward pass,
/// so that the graph of only one piece is in memory at a time, and those whose gradient is written out. What comes out is an
/// ordinary loss: its backward pass hands the gradient on.
/// </summary>
static class KnownGradient
{
    /// <summary>The sum of the pieces, with its gradient for the variables.</summary>
    /// <param name="pieces">How many pieces there are.</param>
    /// <param name="piece">
    /// Computes one piece (a single element) from stand-ins for the variables, which hold the same values. What it makes is freed
    /// after each piece.
    /// </param>
    /// <param name="variables">What the loss is differentiated for.</param>
    public static Tensor Sum(int pieces, Func<int, Tensor[], Tensor> piece, params Tensor[] variables)
    {
        using var scope = TensorScope.Open();
        var learns = Autograd.Enabled && variables.Any(variable => variable.RequiresGrad);
        var standIns = Array.ConvertAll(variables, variable => variable.Detach());
        foreach (var standIn in standIns) standIn.RequiresGrad = learns;

        var value = Tensor.Scalar(0, DType.Float64, variables[0].Device);
        for (var k = 0; k < pieces; k++)
        {
            using var inner = TensorScope.Open();
            var part = piece(k, standIns);
            if (learns) part.Backward();
            using var off = Autograd.NoGrad();
            value.AddInPlace(part.Detach());
        }

        foreach (var (variable, standIn) in variables.Zip(standIns))
            if (learns && variable.RequiresGrad) value += Nothing(variable, standIn.Grad!);
        return scope.Keep(value.To(DType.Float32));
    }

    /// <summary>A value (a single element) that was computed without a graph, with its gradient for a variable, of its shape.</summary>
    public static Tensor Of(Tensor value, Tensor variable, Tensor gradient)
    {
        using var scope = TensorScope.Open();
        return scope.Keep(value + Nothing(variable, gradient));
    }

    // x - x is exactly 0 and has the gradient of x: it adds the gradient and leaves the value.
    static Tensor Nothing(Tensor variable, Tensor gradient)
    {
        var x = variable.Flatten().Dot(gradient.Flatten());
        return x - x.Detach();
    }
}
