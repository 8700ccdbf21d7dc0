namespace DistillSharp.Models;

/// <summary>What an inverted residual block is made of.</summary>
/// <param name="Kernel">Side of the depthwise kernel.</param>
/// <param name="Expanded">Channels between.</param>
/// <param name="Outputs">Channels out.</param>
/// <param name="Stride">Step of the depthwise convolution.</param>
/// <param name="Squeezed">Channels of its squeeze and excitation; null for none.</param>
/// <param name="Activation">Behind the first two convolutions.</param>
sealed record MobileBlockForm(long Kernel, long Expanded, long Outputs, long Stride, long? Squeezed, Func<Tensor, Tensor> Activation);

/// <summary>How a family of such networks is built, beside its blocks.</summary>
/// <param name="Norm">Makes a batch norm for a number of channels.</param>
/// <param name="SqueezeActivation">Inside of squeeze and excitation.</param>
/// <param name="Gate">Its end.</param>
/// <param name="Nested">
/// Whether a block's parts lie under <c>block</c>, its last convolution and norm in one of them; else under <c>conv</c>, each for itself.
/// </param>
sealed record MobileFamily(Func<long, BatchNorm2d> Norm, Func<Tensor, Tensor> SqueezeActivation, Func<Tensor, Tensor> Gate, bool Nested);

/// <summary>
/// Widens by a 1x1 convolution where the width between is another, filters each channel, weighs the channels where it has a squeeze
/// and excitation, narrows linearly; adds the input where the shape stays (Sandler et al., CVPR 2018; Howard et al., ICCV 2019).
/// Names as in torchvision.
/// </summary>
sealed class MobileBlock : Layer
{
    readonly List<(string Own, string Other)> timm = [];
    readonly Sequential widenAndFilter;
    readonly Conv2d project;
    readonly BatchNorm2d norm;
    readonly bool adds;

    public MobileBlock(long inputs, MobileBlockForm form, MobileFamily family)
    {
        adds = form.Stride == 1 && inputs == form.Outputs;
        var under = family.Nested ? "block" : "conv";
        var layers = new List<Layer>();
        void Add(Layer layer, params (string Own, string Other)[] names)
        {
            var at = $"{under}.{layers.Count}";
            layers.Add(Child(at, layer));
            timm.AddRange(names.Select(name => ($"{at}.{name.Own}", name.Other)));
        }

        ConvNorm Filter(long from, long kernel, long stride, long groups)
        {
            var convolution = new Conv2d(from, form.Expanded, kernel, stride, padding: kernel / 2, groups: groups);
            return new(convolution, family.Norm(form.Expanded), form.Activation);
        }

        var widens = form.Expanded != inputs;
        if (widens) Add(Filter(inputs, 1, 1, 1), ("0", "conv_pw"), ("1", "bn1"));
        Add(Filter(form.Expanded, form.Kernel, form.Stride, form.Expanded), ("0", "conv_dw"), ("1", widens ? "bn2" : "bn1"));
        if (form.Squeezed is { } squeezed)
            Add(
                new SqueezeExcitation(form.Expanded, squeezed, family.SqueezeActivation, family.Gate),
                ("fc1", "se.conv_reduce"), ("fc2", "se.conv_expand"));
        widenAndFilter = new([.. layers]);

        var (last, lastNorm) = family.Nested
            ? ($"{under}.{layers.Count}.0", $"{under}.{layers.Count}.1")
            : ($"{under}.{layers.Count}", $"{under}.{layers.Count + 1}");
        project = Child(last, new Conv2d(form.Expanded, form.Outputs, 1));
        norm = Child(lastNorm, family.Norm(form.Outputs));
        timm.AddRange([(last, widens ? "conv_pwl" : "conv_pw"), (lastNorm, widens ? "bn3" : "bn2")]);
    }

    /// <summary>The names of its parts here and in timm.</summary>
    public IEnumerable<(string Own, string Other)> TimmNames => timm;

    public override Tensor Forward(Tensor x)
    {
        using var scope = TensorScope.Open();
        var y = norm.Forward(project.Forward(widenAndFilter.Forward(x)));
        return scope.Keep(adds ? x + y : y);
    }
}
