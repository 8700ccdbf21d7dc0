using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;

namespace DistillSharp.Training;

/// <summary>The network that a student follows. It computes only what the methods need, without gradients.</summary>
public abstract class Teacher : IDisposable
{
    private protected Teacher(Classifier network, Features features, Size2 image, Device device)
    {
        (Network, Features) = (network, features);
        network.To(device);
        network.RequireGrad(false);
        Member = PairMember.Of(network, image);
    }

    /// <summary>The teacher as methods see it before training.</summary>
    public PairMember Member { get; }

    /// <summary>Images of the last batch that the teacher did not look at, as its answer was remembered.</summary>
    public virtual int SkippedImages => 0;

    /// <summary>Whether answers may come from memory, so that what the teacher does depends on more than the images.</summary>
    internal virtual bool Remembers => false;

    /// <summary>The share of the images since <see cref="BeginEpoch"/> whose answer was remembered, 0..1; null where none can be.</summary>
    public virtual double? Remembered => null;

    /// <summary>What a run had of answers that were there already, for its log; null where there were none to be had.</summary>
    internal virtual string? Summary => null;

    private protected Classifier Network { get; }

    /// <summary>What is computed beside the logits. Binding the methods may change it: one makes do with what this teacher has.</summary>
    public Features Features { get; internal set; }

    /// <summary>Begins to count <see cref="Remembered"/> anew.</summary>
    public virtual void BeginEpoch() { }

    /// <summary>What the teacher makes of a batch, in the precision of the caller's region.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="images">The batch's images as the teacher takes them, on its device: [N, C, H, W].</param>
    public virtual ClassifierOutput Answer(Batch batch, Tensor images) => Look(images);

    /// <summary>What the teacher makes of images that are not a batch's own, such as its second view: never from memory.</summary>
    /// <param name="images">The images as the teacher takes them, on its device: [N, C, H, W].</param>
    public ClassifierOutput Look(Tensor images) => Look(images, Features);

    private protected ClassifierOutput Look(Tensor images, Features features)
    {
        using var off = Autograd.NoGrad();
        return Network.Forward(images, features);
    }

    /// <summary>Frees what is the teacher's own; the network stays the caller's.</summary>
    public abstract void Dispose();
}
