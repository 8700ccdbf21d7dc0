namespace DistillSharp.Torch.Layers;

/// <summary>
/// Self-attention of [N, T, C] with several heads (Vaswani et al. 2017, equation 1): softmax(q k' / sqrt(C / heads)) v for each head,
/// joined and projected. The state has the names of PyTorch's.
/// </summary>
public sealed class MultiheadAttention : Layer
{
    readonly long heads;
    readonly Tensor weight, bias;
    readonly Linear project;

    /// <param name="width">C.</param>
    /// <param name="heads">How many heads share it; a divisor of C.</param>
    public MultiheadAttention(long width, long heads)
    {
        this.heads = heads;
        weight = Parameter("in_proj_weight", Initialize.XavierUniform(Tensor.Empty([3 * width, width])));
        bias = Parameter("in_proj_bias", Tensor.Zeros([3 * width]));
        project = Child("out_proj", new Linear(width, width));
        using var off = Autograd.NoGrad();
        project.Bias!.Fill(0);
    }

    public override Tensor Forward(Tensor x)
    {
        using var scope = TensorScope.Open();
        var (tokens, width) = (x.Size(1), x.Size(2) / heads);
        // [N, 3, heads, T, C / heads]: queries, keys, values.
        var parts = Functional.Linear(x, weight, bias).Reshape(-1, tokens, 3, heads, width).Permute(0, 2, 3, 1, 4);
        var (q, k, v) = (parts.Select(1, 0), parts.Select(1, 1), parts.Select(1, 2));
        var attention = Functional.Softmax((q * (1 / Math.Sqrt(width))).MatMul(k.Transpose(2, 3)));
        return scope.Keep(project.Forward(attention.MatMul(v).Transpose(1, 2).Reshape(-1, tokens, heads * width)));
    }
}
