using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>One named part of a loss.</summary>
/// <param name="Name">For example <c>kd</c> or <c>rkd.angle</c>.</param>
/// <param name="Value">A single element, the method's inner weights (alpha, beta, T squared) already in it.</param>
public readonly record struct LossTerm(string Name, Tensor Value)
{
    /// <summary>Whether this is the loss of the whole batch, in each of the processes that share it; else that of the own share.</summary>
    public bool OfWholeBatch { get; init; }
}

/// <summary>What a method sees of one training step.</summary>
/// <param name="Student">The student's output, with the features that the method asked for.</param>
/// <param name="Teacher">The teacher's output for the same images, without gradients; its tensors must not be changed.</param>
/// <param name="Labels">int64 [N].</param>
/// <param name="Indices">int64 [N]: which samples of the training set these are.</param>
/// <param name="Epoch">The epoch under way, counted from 1.</param>
public sealed record DistillationStep(ClassifierOutput Student, ClassifierOutput Teacher, Tensor Labels, Tensor Indices, int Epoch)
{
    /// <summary>What else is in the images, where each is mixed of two; else null.</summary>
    public LabelMix? Mix { get; init; }

    /// <summary>What both networks make of the second view of each image, where a method asks for it; else null.</summary>
    public SecondView? Second { get; init; }

    /// <summary>The processes that share the batch; what stands above is this process's share of it.</summary>
    public BatchPeers Peers { get; init; } = BatchPeers.None;

    /// <summary>The whole batch, with what the features name gathered from all processes: for a method that compares images.</summary>
    internal DistillationStep Whole(Features student, Features teacher) => Peers.Alone ? this : this with
    {
        Student = Peers.Gather(Student, student),
        Teacher = Peers.Gather(Teacher, teacher),
        Second = Second is null ? null : new(Peers.Gather(Second.Student, student), Peers.Gather(Second.Teacher, teacher)),
        Labels = Peers.Gather(Labels),
        Indices = Peers.Gather(Indices),
        Mix = Mix is null ? null : new(Peers.Gather(Mix.Others), Peers.Gather(Mix.Shares)),
        Peers = BatchPeers.None,
    };
}

/// <summary>The outputs for another view of the same images, which was drawn by itself.</summary>
/// <param name="Student">The student's, with the features that the methods asked for.</param>
/// <param name="Teacher">The teacher's, without gradients.</param>
public sealed record SecondView(ClassifierOutput Student, ClassifierOutput Teacher);

/// <summary>Images that are mixed of two: beside the label that each image has anyway, the other's, and how much is whose.</summary>
/// <param name="Others">int64 [N]: the label of the image that was mixed in.</param>
/// <param name="Shares">float32 [N]: the share of the image's own label, 0..1; the rest is the other's.</param>
public sealed record LabelMix(Tensor Others, Tensor Shares);

/// <summary>One network of a pair, as a method sees it before training.</summary>
/// <param name="Name">The network's name.</param>
/// <param name="Shapes">Its features' shapes at the size of the training images.</param>
/// <param name="Head">The linear layer from its pooled features to its logits, where there is just one.</param>
public sealed record PairMember(string Name, NetworkShapes Shapes, Linear? Head = null)
{
    /// <summary>Describes a network for images of a size.</summary>
    public static PairMember Of(Classifier network, Size2 image) => new(network.Name, network.Describe(image), network.Head);
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

    /// <summary>Whether the data are trained on by ImageNet's protocol, so that a method's settings for ImageNet hold.</summary>
    public bool IsImageNet { get; init; }

    /// <summary>What published settings depend on.</summary>
    public PairKind Kind => new(Teacher.Name, Student.Name, IsImageNet);
}

/// <summary>What the published settings of a method depend on, all of it known before any network is made.</summary>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="Student">The student's name.</param>
/// <param name="IsImageNet">Whether the data are trained on by ImageNet's protocol.</param>
public readonly record struct PairKind(string Teacher, string Student, bool IsImageNet);

/// <summary>
/// A way of distilling: from the outputs of student and teacher to loss terms. Settings are public properties marked with
/// <see cref="SettingAttribute"/>; recipes set them by their snake_case names. The method's own parameters and its state are
/// registered as in any module; they are trained with the student, kept in checkpoints and dropped afterwards.
/// </summary>
public abstract class DistillationMethod : Module
{
    readonly Features? compared;
    double? weight;

    /// <summary>A method on logits, unless it says otherwise.</summary>
    protected DistillationMethod() { }

    // A method that compares the same features of both networks, and no logits.
    private protected DistillationMethod(Features compared) => this.compared = compared;

    /// <summary>The name in recipes and logs.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// The factor of this method's terms in the total loss. Where nobody set it, it may depend on the pair: read it after
    /// <see cref="Follow"/>.
    /// </summary>
    [Setting("factor of this method's loss in the total", AtLeast = 0)]
    public double Weight { get => weight ?? DefaultWeight; set => weight = value; }

    /// <summary>The weight where nobody set one.</summary>
    protected virtual double DefaultWeight => 1;

    /// <summary>Whether weights that nobody set depend on the pair, so that they are known only after <see cref="Follow"/>.</summary>
    public virtual bool WeightsDependOnPair => false;

    /// <summary>The weight of cross-entropy beside this method where the recipe does not say; read it after <see cref="Follow"/>.</summary>
    public virtual double CrossEntropyWeight => 1;

    /// <summary>
    /// Whether each image must be one image with one label, because labels or memories by image are used. With an augmentation that
    /// mixes images such a method is refused before the first step.
    /// </summary>
    public virtual bool NeedsOneLabel => false;

    /// <summary>
    /// Whether two views of each image are looked at, which <see cref="DistillationStep.Second"/> then holds. With an augmentation that
    /// mixes images such a method is refused before the first step.
    /// </summary>
    public virtual bool NeedsSecondView => false;

    /// <summary>What is needed of the student beside its logits.</summary>
    public virtual Features StudentFeatures => compared ?? Features.Logits;

    /// <summary>What is needed of the teacher beside its logits; null when the teacher is not needed at all.</summary>
    public virtual Features? TeacherFeatures => compared ?? Features.Logits;

    /// <summary>
    /// Whether the teacher's logits are used, which come with every forward pass. Where no method uses them they need not be
    /// remembered, and a step's teacher may show NaN in their place.
    /// </summary>
    public virtual bool UsesTeacherLogits => compared is null;

    /// <summary>
    /// Takes over what was published for a pair, as the values of settings that nobody set. <see cref="Bind"/> begins with it; a
    /// recipe asks for it in order to write those values out.
    /// </summary>
    public virtual void Follow(PairKind pair) { }

    /// <summary>The value in force of a setting that nobody set, after <see cref="Follow"/>; null where there is none.</summary>
    /// <param name="setting">Its name in recipes.</param>
    public virtual double? Published(string setting) => null;

    /// <summary>
    /// Whether the loss of a batch compares its images with one another, and so is more than a mean over them. Where processes share
    /// a batch, such a method sees all of it, in every process: its loss is that of one process. Others see their own share; what they
    /// need of the rest they ask for by <see cref="DistillationStep.Peers"/>.
    /// </summary>
    public virtual bool ComparesImages => false;

    /// <summary>
    /// Whether a GPU may record what <see cref="Compute"/> does in one step of an epoch and do just that in the others: it must depend on
    /// the tensors of the step and on the epoch alone, and wait for no number on the device, as reading one does. Say so of a method of
    /// yours if it is.
    /// </summary>
    public virtual bool IsRecordable => false;

    /// <summary>
    /// Prepares for a pair: checks that the method can serve it and makes the method's parameters (on the CPU; the caller moves
    /// the method to the device afterwards). Called once, before training, when the teacher has its weights.
    /// </summary>
    /// <returns>Lines for the log: what was matched with what.</returns>
    /// <exception cref="UserException">The method cannot serve this pair; the message names the layers that clash.</exception>
    /// <exception cref="UsageException">A setting makes no sense.</exception>
    public virtual IReadOnlyList<string> Bind(DistillationPair pair) => [];

    /// <summary>What is likely not meant in a run of so many epochs, in words; null for nothing. Called after <see cref="Bind"/>.</summary>
    public virtual string? Doubt(int epochs) => null;

    /// <summary>The <see cref="Doubt"/> about a loss that rises to its weight over some epochs.</summary>
    protected string? WarmupDoubt(double warmup, int epochs) => warmup <= epochs ? null
        : $"{Name}: the loss rises over {warmup} epochs, but the run has {epochs}: it never comes to "
            + "its full weight; give warmup a smaller number";

    /// <summary>
    /// Computes the loss terms of a step, averaged over its images: over those of this process where processes share the batch, unless
    /// the method <see cref="ComparesImages"/>.
    /// </summary>
    public abstract IReadOnlyList<LossTerm> Compute(DistillationStep step);

    /// <summary>
    /// The network that is measured, kept and exported after training: the student, unless parts of the method or of the teacher stay
    /// with it. It shares the student's tensors. Called after <see cref="Bind"/>.
    /// </summary>
    public virtual Classifier Deployed(Classifier student) => student;

    /// <summary>Refuses a setting that makes no sense, for <see cref="Bind"/>.</summary>
    /// <exception cref="UsageException">The condition does not hold.</exception>
    protected void Require(bool holds, string setting, double value, string rule)
    {
        if (!holds) throw new UsageException($"{Name}: {setting} is {value}; it must be {rule}");
    }
}
