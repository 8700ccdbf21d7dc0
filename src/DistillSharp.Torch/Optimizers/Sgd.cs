namespace DistillSharp.Torch.Optimizers;

/// <summary>
/// Stochastic gradient descent with momentum and weight decay, as <c>torch.optim.SGD</c> computes it:
/// g += decay * p; v = momentum * v + g; p -= rate * v (Nesterov: p -= rate * (g + momentum * v)).
/// </summary>
public sealed class Sgd : IDisposable
{
    static readonly Operator addLists = new("aten::_foreach_add_.List"), scaleList = new("aten::_foreach_mul_.Scalar");
    readonly Tensor[] parameters;
    readonly Tensor?[] momenta;

    /// <param name="parameters">What to train.</param>
    /// <param name="momentum">0 for none.</param>
    /// <param name="weightDecay">The weight of the L2 penalty's gradient.</param>
    /// <param name="nesterov">Whether the step looks ahead.</param>
    public Sgd(IEnumerable<Tensor> parameters, double momentum = 0.9, double weightDecay = 0, bool nesterov = false)
    {
        (Momentum, WeightDecay, Nesterov) = (momentum, weightDecay, nesterov);
        this.parameters = [.. parameters];
        momenta = new Tensor?[this.parameters.Length];
    }

    /// <summary>The weight of the former steps.</summary>
    public double Momentum { get; }

    /// <summary>The weight of the L2 penalty's gradient.</summary>
    public double WeightDecay { get; }

    /// <summary>Whether the step looks ahead.</summary>
    public bool Nesterov { get; }

    /// <summary>What is trained.</summary>
    public IReadOnlyList<Tensor> Parameters => parameters;

    /// <summary>The velocities, one for each parameter; null before a parameter's first step.</summary>
    public IReadOnlyList<Tensor?> Momenta => momenta;

    /// <summary>Sets a velocity, when a run is resumed.</summary>
    public void SetMomentum(int parameter, Tensor value)
    {
        momenta[parameter]?.Dispose();
        momenta[parameter] = value.Unscoped();
    }

    /// <summary>Drops the gradients.</summary>
    public void ZeroGrad() => Autograd.ClearGradients(parameters);

    /// <summary>Moves the parameters that have a gradient. The gradients are used up: call <see cref="ZeroGrad"/> before the next pass.</summary>
    public void Step(double rate)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var found = Autograd.Gradients(parameters);
        var moving = Enumerable.Range(0, parameters.Length).Where(i => found[i] is not null).ToArray();
        if (moving.Length == 0) return;
        var weights = Array.ConvertAll(moving, i => parameters[i]);
        var gradients = Array.ConvertAll(moving, i => found[i]!);

        if (WeightDecay != 0) addLists.CallInPlace(gradients, weights, WeightDecay);
        if (Momentum == 0)
        {
            addLists.CallInPlace(weights, gradients, -rate);
            return;
        }

        foreach (var i in moving) momenta[i] ??= Tensor.ZerosLike(parameters[i]).Unscoped();
        var velocities = Array.ConvertAll(moving, i => momenta[i]!);
        scaleList.CallInPlace(velocities, Momentum);
        addLists.CallInPlace(velocities, gradients, 1.0);
        if (Nesterov)
        {
            addLists.CallInPlace(gradients, velocities, Momentum);
            addLists.CallInPlace(weights, gradients, -rate);
        }
        else addLists.CallInPlace(weights, velocities, -rate);
    }

    /// <summary>Frees the velocities.</summary>
    public void Dispose()
    {
        foreach (var momentum in momenta) momentum?.Dispose();
    }
}
