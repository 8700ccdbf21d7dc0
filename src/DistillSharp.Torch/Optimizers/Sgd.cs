namespace DistillSharp.Torch.Optimizers;

/// <summary>
/// Stochastic gradient descent with momentum and weight decay, as <c>torch.optim.SGD</c> computes it:
/// g += decay * p; v = momentum * v + g; p -= rate * v (Nesterov: p -= rate * (g + momentum * v)).
/// </summary>
public sealed class Sgd : Optimizer
{
    readonly OptimizerState velocity;

    /// <param name="parameters">What to train.</param>
    /// <param name="momentum">0 for none.</param>
    /// <param name="weightDecay">The weight of the L2 penalty's gradient.</param>
    /// <param name="nesterov">Whether the step looks ahead.</param>
    /// <param name="decayVectors">Whether norms and biases decay too.</param>
    public Sgd(
        IEnumerable<Tensor> parameters, double momentum = 0.9, double weightDecay = 0, bool nesterov = false, bool decayVectors = true)
        : base(parameters, weightDecay, decayVectors)
    {
        (Momentum, Nesterov) = (momentum, nesterov);
        velocity = Remember("momentum");
    }

    /// <summary>The weight of the former steps.</summary>
    public double Momentum { get; }

    /// <summary>Whether the step looks ahead.</summary>
    public bool Nesterov { get; }

    protected override void Move(int[] moving, Tensor[] gradients, double rate)
    {
        var weights = At(moving);
        var (decaying, theirs) = Decaying(moving, gradients);
        if (decaying.Length > 0) AddLists.CallInPlace(theirs, decaying, WeightDecay);
        var step = gradients;
        if (Momentum != 0)
        {
            var velocities = At(velocity, moving);
            ScaleList.CallInPlace(velocities, Momentum);
            AddLists.CallInPlace(velocities, gradients, 1.0);
            if (Nesterov) AddLists.CallInPlace(gradients, velocities, Momentum);
            else step = velocities;
        }
        AddLists.CallInPlace(weights, step, -rate);
    }
}
