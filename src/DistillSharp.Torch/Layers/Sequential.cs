namespace DistillSharp.Torch.Layers;

/// <summary>Layers one after the other, named 0, 1, 2, ... as in PyTorch.</summary>
public sealed class Sequential : Layer
{
    readonly Layer[] layers;

    /// <param name="layers">In the order in which they run.</param>
    public Sequential(params Layer[] layers)
    {
        this.layers = layers;
        for (var i = 0; i < layers.Length; i++) Child(i.ToString(), layers[i]);
    }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<Layer> Layers => layers;

    public override Tensor Forward(Tensor x)
    {
        var input = x;
        foreach (var layer in layers)
        {
            var next = layer.Forward(x);
            if (x != input && next != x) x.Dispose();
            x = next;
        }
        return x;
    }
}
