namespace DistillSharp.Torch.Optimizers;

/// <summary>
/// Adam, as <c>torch.optim.Adam</c> and <c>AdamW</c> compute it. Kingma, Ba: Adam, ICLR 2015, arXiv 1412.6980; Loshchilov, Hutter:
/// Decoupled Weight Decay Regularization, ICLR 2019, arXiv 1711.05101. For a parameter's k-th step:
/// <code>
/// g += decay p                     (coupled),   or   p -= rate decay p   (decoupled: AdamW)
/// m  = beta1 m + (1 - beta1) g,    v = beta2 v + (1 - beta2) g^2
/// p -= rate / (1 - beta1^k) * m / ( sqrt(v / (1 - beta2^k)) + epsilon )
/// </code>
/// </summary>
public sealed class Adam : Optimizer
{
    static readonly Operator addProducts = new("aten::_foreach_addcmul_.Scalar"), addQuotients = new("aten::_foreach_addcdiv_.Scalar");
    static readonly Operator roots = new("aten::_foreach_sqrt"), addToList = new("aten::_foreach_add_.Scalar");

    readonly OptimizerState steps, mean, square;

    /// <param name="parameters">What to train.</param>
    /// <param name="beta1">The weight of the former gradients in their mean.</param>
    /// <param name="beta2">The weight of the former squares in theirs.</param>
    /// <param name="epsilon">Added to the root of the mean square.</param>
    /// <param name="weightDecay">The weight of the L2 penalty's gradient; decoupled, the share that a rate of 1 would take away.</param>
    /// <param name="decoupled">Whether the decay passes by the gradients' statistics: AdamW.</param>
    /// <param name="decayVectors">Whether norms and biases decay too.</param>
    public Adam(IEnumerable<Tensor> parameters, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0,
        bool decoupled = false, bool decayVectors = true) : base(parameters, weightDecay, decayVectors)
    {
        (Beta1, Beta2, Epsilon, Decoupled) = (beta1, beta2, epsilon, decoupled);
        (steps, mean, square) = (Remember("adam_step"), Remember("adam_mean"), Remember("adam_square"));
    }

    /// <summary>The weight of the former gradients in their mean.</summary>
    public double Beta1 { get; }

    /// <summary>The weight of the former squares in theirs.</summary>
    public double Beta2 { get; }

    /// <summary>Added to the root of the mean square.</summary>
    public double Epsilon { get; }

    /// <summary>Whether the decay passes by the gradients' statistics: AdamW.</summary>
    public bool Decoupled { get; }

    protected override void Move(int[] moving, Tensor[] gradients, double rate)
    {
        var (decaying, theirs) = Decaying(moving, gradients);
        if (decaying.Length > 0 && Decoupled) ScaleList.CallInPlace(decaying, 1 - rate * WeightDecay);
        else if (decaying.Length > 0) AddLists.CallInPlace(theirs, decaying, WeightDecay);

        var (m, v) = (At(mean, moving), At(square, moving));
        ScaleList.CallInPlace(m, Beta1);
        AddLists.CallInPlace(m, gradients, 1 - Beta1);
        ScaleList.CallInPlace(v, Beta2);
        addProducts.CallInPlace(v, gradients, gradients, 1 - Beta2);

        // Parameters that had no gradient in some step have taken fewer.
        foreach (var equal in Enumerable.Range(0, moving.Length).GroupBy(k => Count(moving[k])))
        {
            int[] places = [.. equal];
            var root = roots.CallList(places.Length, Array.ConvertAll(places, k => v[k]));
            ScaleList.CallInPlace(root, 1 / Math.Sqrt(1 - Math.Pow(Beta2, equal.Key)));
            addToList.CallInPlace(root, Epsilon);
            var weights = Array.ConvertAll(places, k => Parameters[moving[k]]);
            addQuotients.CallInPlace(weights, Array.ConvertAll(places, k => m[k]), root, -rate / (1 - Math.Pow(Beta1, equal.Key)));
        }
    }

    // Which step of a parameter this is. Kept on the processor, where it is read.
    double Count(int parameter)
    {
        var count = steps.Values[parameter] ??= Tensor.Scalar(0).Unscoped();
        return count.AddInPlace(1.0).Item();
    }
}
