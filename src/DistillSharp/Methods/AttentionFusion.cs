namespace DistillSharp.Methods;

/// <summary>
/// The attention-based fusion of <see cref="ReviewKd"/>: one level of the student with what the deeper levels came to.
/// <code>
/// x      = norm(conv1x1(s))
/// y      = a x + b d,   d = deeper y in the size of x,   (a, b) = sigmoid(conv1x1([x, d]));   at the deepest level y = x
/// f      = norm(conv3x3(y)),   y in the teacher's size
/// </code>
/// </summary>
sealed class AttentionFusion : Module
{
    readonly Sequential conv1, conv2;
    readonly Conv2d? attention;

    /// <param name="student">Channels of s.</param>
    /// <param name="width">Channels of x and y.</param>
    /// <param name="teacher">Channels of f, the teacher's.</param>
    /// <param name="isDeepest">Whether there is nothing deeper.</param>
    public AttentionFusion(long student, long width, long teacher, bool isDeepest)
    {
        conv1 = Child("conv1", new Sequential(Convolution(student, width, 1), new BatchNorm2d(width)));
        conv2 = Child("conv2", new Sequential(Convolution(width, teacher, 3), new BatchNorm2d(teacher)));
        if (!isDeepest) attention = Child("att_conv.0", new Conv2d(2 * width, 2, 1, bias: true));
    }

    /// <summary>f [N, teacher, H, W], and y [N, width, H, W] for the next, shallower level.</summary>
    public (Tensor F, Tensor Y) Forward(Tensor s, Tensor? deeper, Size2 size)
    {
        var y = conv1.Forward(s);
        if (attention is not null)
        {
            var (x, d) = (y, Resized(deeper!, new(y.Size(2), y.Size(3))));
            var ab = attention.Forward(Tensor.Cat([x, d], 1)).Sigmoid();
            y = ab.Narrow(1, 0, 1) * x + ab.Narrow(1, 1, 1) * d;
        }
        y = Resized(y, size);
        return (conv2.Forward(y), y);
    }

    static Tensor Resized(Tensor x, Size2 size) =>
        x.Size(2) == size.Height && x.Size(3) == size.Width ? x : Functional.ResizeNearest(x, size);

    static Conv2d Convolution(long inputs, long outputs, long kernel)
    {
        var conv = new Conv2d(inputs, outputs, kernel, padding: kernel / 2);
        Initialize.KaimingUniform(conv.Weight, slope: 1);
        return conv;
    }
}
