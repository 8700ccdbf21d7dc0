using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Methods;

/// <summary>One named part of a loss.</summary>
/// <param name="Name">For example <c>kd</c> or <c>rkd.angle</c>.</param>
/// <param name="Value">A single element, the method's inner weights (alpha, beta, T squared) already in it.</param>
public readonly record struct LossTerm(string Name, Tensor Value);

/// <summary>What a method sees of one training step.</summary>
/// <param name="Student">The student's output, with the features that the method asked for.</param>
/// <param name="Teacher">The teacher's output for the same images, without gradients; its tensors must not be changed.</param>
/// <param name="Labels">int64 [N].</param>
/// <param name="Indices">int64 [N]: which samples of the training set these are.</param>
/// <param name="Epoch">The epoch under way, counted from 1.</param>
public sealed record DistillationStep(ClassifierOutput Student, ClassifierOutput Teacher, Tensor Labels, Tensor Indices, int Epoch);

/// <summary>One network of a pair, as a method sees it before training.</summary>
/// <param name="Name">The network's name.</param>
/// <param name="Shapes">Its features' shapes at the size of the training images.</param>
/// <param name="StageNorms">The last batch norm before each pre-activation, null where none stands there.</param>
public sealed record PairMember(string Name, NetworkShapes Shapes, IReadOnlyList<BatchNorm2d?> StageNorms)
{
    /// <summary>Describes a network for images of a size.</summary>
    public static PairMember Of(Classifier network, Size2 image) => new(network.Name, network.Describe(image), network.StageNorms);
}

/// <summary>What a method may know before training: the two networks and the data.</summary>
/// <param name="Student">The student.</param>
/// <param name="Teacher">The teacher.</param>
/// <param name="Classes">Number of classes.</param>
/// <param name="Labels">The labels of the training set, by sample index; empty where unknown.</param>
/// <param name="Seed">The run's seed, for a method that draws.</param>
public sealed record DistillationPair(PairMember Student, PairMember Teacher, int Classes, ReadOnlyMemory<int> Labels, ulong Seed = 0)
{
    /// <summary>Samples in the training set.</summary>
    public int Samples => Labels.Length;
}

/// <summary>
/// A way of distilling: from the outputs of student and teacher to loss terms. Settings are public properties marked with
/// <see cref="SettingAttribute"/>; recipes set them by their snake_case names. The method's own parameters and its state are
/// registered as in any module; they are trained with the student, kept in checkpoints and dropped afterwards.
/// </summary>
public abstract class DistillationMethod : Module
{
    /// <summary>The name in recipes and logs.</summary>
    public abstract string Name { get; }

    /// <summary>The factor of this method's terms in the total loss.</summary>
    [Setting("factor of this method's loss in the total")]
    public double Weight { get; set; } = 1;

    /// <summary>The weight that cross-entropy has beside this method where the recipe does not say.</summary>
    public virtual double CrossEntropyWeight => 1;

    /// <summary>What is needed of the student beside its logits.</summary>
    public virtual Features StudentFeatures => Features.Logits;

    /// <summary>What is needed of the teacher beside its logits; null when the teacher is not needed at all.</summary>
    public virtual Features? TeacherFeatures => Features.Logits;

    /// <summary>
    /// Prepares for a pair: checks that the method can serve it and makes the method's parameters. Called once, before training.
    /// </summary>
    /// <returns>Lines for the log: what was matched with what.</returns>
    /// <exception cref="UserException">The method cannot serve this pair; the message names the layers that clash.</exception>
    public virtual IReadOnlyList<string> Bind(DistillationPair pair) => [];

    /// <summary>Computes the loss terms of a step, averaged over the batch.</summary>
    public abstract IReadOnlyList<LossTerm> Compute(DistillationStep step);
}

/// <summary>Marks a property of a method that recipes can set.</summary>
/// <param name="description">What it does, for <c>distill methods</c>.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string description) : Attribute
{
    /// <summary>What the setting does.</summary>
    public string Description { get; } = description;
}
