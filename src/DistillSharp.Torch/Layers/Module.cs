namespace DistillSharp.Torch.Layers;

/// <summary>A part of a network: named parameters, buffers and modules. Joined by dots, the names are the state's, as in PyTorch.</summary>
public abstract class Module : IDisposable
{
    readonly List<(string Name, Module Module)> children = [];
    readonly List<(string Name, Tensor Tensor)> parameters = [];
    readonly List<(string Name, Tensor Tensor)> buffers = [];

    /// <summary>Whether batch norm uses the batch's statistics. Set by <see cref="Train"/>.</summary>
    public bool Training { get; private set; } = true;

    /// <summary>The modules directly below, in order of registration.</summary>
    public IReadOnlyList<(string Name, Module Module)> Children => children;

    /// <summary>Registers a module under a name and returns it.</summary>
    protected T Child<T>(string name, T module) where T : Module
    {
        children.Add((name, module));
        return module;
    }

    /// <summary>Registers a trainable tensor under a name and returns it. The module owns it from here on.</summary>
    protected Tensor Parameter(string name, Tensor tensor)
    {
        tensor.Unscoped().RequiresGrad = true;
        parameters.Add((name, tensor));
        return tensor;
    }

    /// <summary>Registers a tensor that is state but not trained. The module owns it from here on.</summary>
    protected Tensor Buffer(string name, Tensor tensor)
    {
        buffers.Add((name, tensor.Unscoped()));
        return tensor;
    }

    /// <summary>This module and all below it, each before its children, with its name ("" for this one).</summary>
    public IEnumerable<(string Name, Module Module)> NamedModules(string prefix = "")
    {
        yield return (prefix, this);
        foreach (var (name, child) in children)
            foreach (var inner in child.NamedModules(Join(prefix, name))) yield return inner;
    }

    /// <summary>All trainable tensors with their names, in order of registration.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters() =>
        NamedModules().SelectMany(at => at.Module.parameters.Select(own => (Join(at.Name, own.Name), own.Tensor)));

    /// <summary>All parameters and buffers with their names, in PyTorch's order.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State() => NamedModules().SelectMany(
        at => at.Module.parameters.Concat(at.Module.buffers).Select(own => (Join(at.Name, own.Name), own.Tensor)));

    /// <summary>All trainable tensors, in order of registration.</summary>
    public Tensor[] Parameters() => [.. NamedParameters().Select(parameter => parameter.Tensor)];

    /// <summary>Number of trainable values.</summary>
    public long ParameterCount => NamedParameters().Sum(parameter => parameter.Tensor.Count);

    /// <summary>Sets training or evaluation mode here and below.</summary>
    public void Train(bool training = true)
    {
        Training = training;
        foreach (var (_, child) in children) child.Train(training);
    }

    /// <summary>Stops or restarts the recording of gradients for all parameters.</summary>
    public void RequireGrad(bool value)
    {
        foreach (var (_, tensor) in NamedParameters()) tensor.RequiresGrad = value;
    }

    /// <summary>Moves all state to a device, in place: whoever holds a parameter goes on holding it.</summary>
    public void To(Device device)
    {
        using var scope = TensorScope.Open();
        foreach (var (_, tensor) in State()) tensor.SetData(tensor.Detach().To(device));
    }

    /// <summary>Frees all parameters and buffers, here and below.</summary>
    public virtual void Dispose()
    {
        foreach (var (_, tensor) in State()) tensor.Dispose();
        GC.SuppressFinalize(this);
    }

    static string Join(string prefix, string name) => prefix.Length == 0 ? name : $"{prefix}.{name}";
}

/// <summary>A module with one input and one output.</summary>
public abstract class Layer : Module
{
    /// <summary>Computes the output.</summary>
    public abstract Tensor Forward(Tensor x);
}
