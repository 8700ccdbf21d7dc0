namespace DistillSharp.Torch.Optimizers;

/// <summary>What an optimizer remembers of each parameter, under one name.</summary>
/// <param name="Name">For example <c>momentum</c>; checkpoints keep it before the parameter's name.</param>
/// <param name="Values">One for each parameter, of its shape or a single element; null before the parameter's first step.</param>
public sealed record OptimizerState(string Name, Tensor?[] Values);

/// <summary>Moves parameters along their gradients, all of them by a few operators on lists.</summary>
public abstract class Optimizer : IDisposable
{
    static readonly Operator norms = new("aten::_foreach_norm.Scalar");

    /// <summary>Lists of tensors, in place: a += scale b, a *= number.</summary>
    protected static readonly Operator AddLists = new("aten::_foreach_add_.List"), ScaleList = new("aten::_foreach_mul_.Scalar");

    readonly Tensor[] parameters;
    readonly bool[] decays;
    readonly List<OptimizerState> states = [];

    /// <param name="parameters">What to train.</param>
    /// <param name="weightDecay">How strongly the parameters are drawn to 0.</param>
    /// <param name="decayVectors">Whether tensors of one dimension, which are the norms and the biases, decay too.</param>
    protected Optimizer(IEnumerable<Tensor> parameters, double weightDecay, bool decayVectors)
    {
        this.parameters = [.. parameters];
        WeightDecay = weightDecay;
        decays = Array.ConvertAll(this.parameters, parameter => weightDecay != 0 && (decayVectors || parameter.Dimensions > 1));
    }

    /// <summary>How strongly the parameters are drawn to 0.</summary>
    public double WeightDecay { get; }

    /// <summary>What is trained.</summary>
    public IReadOnlyList<Tensor> Parameters => parameters;

    /// <summary>What is remembered of each parameter, for checkpoints.</summary>
    public IReadOnlyList<OptimizerState> States => states;

    /// <summary>Declares what is remembered of each parameter.</summary>
    protected OptimizerState Remember(string name)
    {
        var state = new OptimizerState(name, new Tensor?[parameters.Length]);
        states.Add(state);
        return state;
    }

    /// <summary>Sets what is remembered of a parameter, when a run is resumed. The values are copied.</summary>
    public void SetState(OptimizerState state, int parameter, Tensor value)
    {
        using var off = Autograd.NoGrad();
        state.Values[parameter]?.Dispose();
        // What belongs to each element lies where, and in the order in which, the parameter's elements do.
        var ofEachElement = value.Shape.SequenceEqual(parameters[parameter].Shape);
        state.Values[parameter] = (ofEachElement ? Tensor.ZerosLike(parameters[parameter]).CopyFrom(value) : value.Clone()).Unscoped();
    }

    /// <summary>Drops the gradients.</summary>
    public void ZeroGrad() => Autograd.ClearGradients(parameters);

    /// <summary>Scales all gradients down where, as one vector, they are longer (<c>torch.nn.utils.clip_grad_norm_</c>).</summary>
    /// <returns>Their length before.</returns>
    public double ClipGradients(double bound)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        Tensor[] gradients = [.. Autograd.Gradients(parameters).OfType<Tensor>()];
        if (gradients.Length == 0) return 0;
        var length = Tensor.Stack(norms.CallList(gradients.Length, gradients, 2.0)).Norm(0).Item();
        if (length > bound) ScaleList.CallInPlace(gradients, bound / (length + 1e-6));
        return length;
    }

    /// <summary>Moves the parameters that have a gradient, and uses it up: call <see cref="ZeroGrad"/> before the next pass.</summary>
    /// <param name="rate">The learning rate of this step.</param>
    public void Step(double rate)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var found = Autograd.Gradients(parameters);
        int[] moving = [.. Enumerable.Range(0, parameters.Length).Where(i => found[i] is not null)];
        if (moving.Length > 0) Move(moving, Array.ConvertAll(moving, i => found[i]!), rate);
    }

    /// <summary>Moves some parameters.</summary>
    /// <param name="moving">Their places in <see cref="Parameters"/>.</param>
    /// <param name="gradients">Their gradients, which may be changed.</param>
    /// <param name="rate">The learning rate of this step.</param>
    protected abstract void Move(int[] moving, Tensor[] gradients, double rate);

    /// <summary>The parameters at some places.</summary>
    protected Tensor[] At(int[] places) => Array.ConvertAll(places, i => parameters[i]);

    /// <summary>What is remembered of the parameters at some places, zeros where there is nothing yet.</summary>
    protected Tensor[] At(OptimizerState state, int[] places) =>
        Array.ConvertAll(places, i => state.Values[i] ??= Tensor.ZerosLike(parameters[i]).Unscoped());

    /// <summary>Those of the moving parameters that decay, and what belongs to them.</summary>
    protected (Tensor[] Parameters, Tensor[] Gradients) Decaying(int[] moving, Tensor[] gradients) =>
        (At([.. moving.Where(i => decays[i])]), [.. gradients.Where((_, k) => decays[moving[k]])]);

    /// <summary>Frees what is remembered.</summary>
    public void Dispose()
    {
        foreach (var value in states.SelectMany(state => state.Values)) value?.Dispose();
        GC.SuppressFinalize(this);
    }
}
