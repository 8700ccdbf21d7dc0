namespace DistillSharp.Models;

/// <summary>
/// A student that sees through its teacher's classifier: the student up to its last stage, a projector into the teacher's last
/// stage, the mean over the image, the teacher's linear layer. It is what the method SimKD trains; its name is <c>STUDENT+TEACHER</c>,
/// and its state has the parts <c>student</c>, <c>projector</c> and <c>classifier</c>.
/// </summary>
public sealed class ReusedClassifier : Classifier
{
    readonly Classifier student;
    readonly Sequential projector;
    readonly Linear classifier;
    readonly FeatureShape own, target;

    internal ReusedClassifier(
        Classifier student, string teacher, Sequential projector, Linear classifier, FeatureShape own, FeatureShape target)
        : base($"{student.Name}+{teacher}", student.Classes, student.Input)
    {
        this.student = Child("student", student);
        this.projector = Child("projector", projector);
        this.classifier = Child("classifier", classifier);
        (this.own, this.target) = (own, target);
    }

    /// <summary>Makes one with fresh weights; the sizes of the last stages are those for an image of the student's natural size.</summary>
    /// <param name="student">The student, which becomes a part.</param>
    /// <param name="teacher">The teacher, of which only the form is used.</param>
    internal static ReusedClassifier Of(Classifier student, Classifier teacher)
    {
        var (own, target) = (student.Describe().Stages[^1], teacher.Describe(student.Input.Natural).Stages[^1]);
        var classifier = new Linear(target.Channels, student.Classes);
        return new(student, teacher.Name, Projector(own.Channels, target.Channels), classifier, own, target);
    }

    /// <summary>The published projector: 1x1, 3x3, 1x1 convolutions, norm and ReLU behind each, half the teacher's width between.</summary>
    internal static Sequential Projector(long student, long teacher)
    {
        var width = Math.Max(1, teacher / 2);
        var projector = new Sequential(
            new Conv2d(student, width, 1), new BatchNorm2d(width), new Relu(),
            new Conv2d(width, width, 3, padding: 1), new BatchNorm2d(width), new Relu(),
            new Conv2d(width, teacher, 1), new BatchNorm2d(teacher), new Relu());
        InitialWeights.HeConvolutions(projector);
        return projector;
    }

    public override Linear Head => classifier;

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var stages = student.Forward(images, Features.Stages).Stages!;
        foreach (var stage in stages) tap.Stage(stage);
        return classifier.Forward(tap.Pooled(Functional.GlobalAvgPool(projector.Forward(Shrunk(stages[^1])))));
    }

    // As in training a stage larger than the teacher's is averaged down to it; for images of another size, by the same share.
    Tensor Shrunk(Tensor s) => own.Height <= target.Height && own.Width <= target.Width
        ? s
        : Functional.AdaptiveAvgPool2d(s, new(Share(s.Size(2), own.Height, target.Height), Share(s.Size(3), own.Width, target.Width)));

    static long Share(long size, long own, long target) => own <= target ? size : Math.Max(1, size * target / own);
}
