namespace DistillSharp.Torch.Layers;

/// <summary>max(x, 0).</summary>
public sealed class Relu : Layer
{
    public override Tensor Forward(Tensor x) => Functional.Relu(x);
}
