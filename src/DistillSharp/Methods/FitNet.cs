using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Hints. Romero, Ballas, Kahou, Chassang, Gatta, Bengio: FitNets: Hints for Thin Deep Nets, ICLR 2015, arXiv 1412.6550,
/// equation 3, trained together with the cross-entropy as the public benchmarks do.
/// <code>
/// L = mean of ( r(s) - t )^2,   r = ReLU(BN(conv(.)))
/// </code>
/// s is the student's stage 2, t the stage of the teacher that <see cref="StageAlignment"/> lines up with it. The convolution
/// takes s to t's channels and size: 1x1 where the sizes agree, with a stride where s is larger, transposed where t is.
/// </summary>
[Method("||r(s) - t||^2 of stage 2",
    "Romero et al., ICLR 2015, arXiv 1412.6550",
    "the public benchmarks'")]
public sealed class FitNet() : DistillationMethod(Features.Stages)
{
    const int Hint = 2;
    StagePair stage;
    Layer? conv;
    BatchNorm2d? bn;

    public override string Name => "fitnet";

    public override bool IsRecordable => true;

    protected override double DefaultWeight => 100;

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        var (student, teacher) = (pair.Student.Shapes.Stages, pair.Teacher.Shapes.Stages);
        var found = StageAlignment.Of(student, teacher).Where(met => met.Student == Hint).ToArray();
        if (found.Length == 0)
            throw new UserException($"fitnet: stage {Hint} of {pair.Student.Name} ({student.Count} stages, stem included) meets no stage "
                + $"of {pair.Teacher.Name} ({teacher.Count})");
        stage = found[0];

        var (s, t) = (student[stage.Student], teacher[stage.Teacher]);
        conv = Regressor(s, t) ?? throw new UserException($"fitnet: stage {stage.Student} of {pair.Student.Name} is {s}, stage "
            + $"{stage.Teacher} of {pair.Teacher.Name} is {t}; one height and width must be a whole multiple of the other's");
        Child("conv", conv);
        bn = Child("bn", new BatchNorm2d(t.Channels));
        return StageAlignment.Describe(Name, found, student, teacher);
    }

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var (s, t) = (step.Student.Stages![stage.Student], step.Teacher.Stages![stage.Teacher]);
        var r = bn!.ForwardRelu(conv!.Forward(s));
        return [new(Name, scope.Keep(Functional.MeanSquaredError(r.To(DType.Float32), t.To(DType.Float32))))];
    }

    // Between sizes that differ by a factor of 2 these are the public benchmarks' kernels: 3x3 and, transposed, 4x4.
    static Layer? Regressor(FeatureShape s, FeatureShape t)
    {
        if (s.Height >= t.Height && s.Width >= t.Width)
        {
            var stride = new Size2(Ratio(s.Height, t.Height), Ratio(s.Width, t.Width));
            if (Ratio(s.Height, stride.Height) != t.Height || Ratio(s.Width, stride.Width) != t.Width) return null;
            var kernel = new Size2(2 * stride.Height - 1, 2 * stride.Width - 1);
            return new Conv2d(s.Channels, t.Channels, kernel, stride, new Size2(stride.Height - 1, stride.Width - 1), bias: true);
        }
        if (t.Height % s.Height != 0 || t.Width % s.Width != 0) return null;
        var growth = new Size2(t.Height / s.Height, t.Width / s.Width);
        var cut = new Size2(growth.Height / 2, growth.Width / 2);
        var window = new Size2(growth.Height + 2 * cut.Height, growth.Width + 2 * cut.Width);
        return new ConvTranspose2d(s.Channels, t.Channels, window, growth, cut);
    }

    static long Ratio(long larger, long smaller) => (larger + smaller - 1) / smaller;
}
