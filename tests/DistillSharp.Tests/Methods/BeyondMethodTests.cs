using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Methods;

/// <summary>The methods beside the paper's, against their formulas worked out by plain arithmetic.</summary>
public class BeyondMethodTests
{
    static double[][] Rows(Tensor matrix)
    {
        var values = matrix.ToArray<double>();
        return [.. values.Chunk(values.Length / (int)matrix.Size(0))];
    }

    static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    static double[] Unit(double[] a) => [.. a.Select(x => x / Math.Sqrt(Dot(a, a)))];

    static DistillationPair Pair(FeatureShape[] student, FeatureShape[] teacher) => Make.Pair(
        Make.Member("small", pooled: student[^1].Channels, stages: student),
        Make.Member("large", pooled: teacher[^1].Channels, stages: teacher));

    [Fact]
    public void SP_compares_the_similarities_of_the_images_of_a_batch()
    {
        using var scope = TensorScope.Open();
        var (s, t) = (Make.Values(1, 5, 3, 2, 2), Make.Values(2, 5, 4, 1, 1));
        var loss = new Sp().Loss(Make.Step(Make.Stages(t, s), Make.Stages(s, t))).Item();

        double[][] G(Tensor features) => [.. Rows(features).Select(a => Unit([.. Rows(features).Select(b => Dot(a, b))]))];
        var expected = G(s).Zip(G(t)).SelectMany(rows => rows.First.Zip(rows.Second, (a, b) => (a - b) * (a - b))).Average();
        Assert.Equal(expected, loss, 6);
    }

    [Fact]
    public void PKT_compares_the_probabilities_of_neighbors()
    {
        using var scope = TensorScope.Open();
        var (s, t) = (Make.Values(1, 4, 3), Make.Values(2, 4, 6));
        var loss = new Pkt().Loss(Make.Step(Make.Pooled(s), Make.Pooled(t))).Item();

        double[][] P(Tensor features)
        {
            double[][] K = [.. Rows(features).Select(a => Rows(features).Select(b => (Dot(Unit(a), Unit(b)) + 1) / 2).ToArray())];
            return [.. K.Select(row => row.Select(k => k / row.Sum()).ToArray())];
        }
        var expected = P(t).Zip(P(s))
            .SelectMany(rows => rows.First.Zip(rows.Second, (p, q) => p * Math.Log((p + 1e-7) / (q + 1e-7))))
            .Average();
        Assert.Equal(expected, loss, 6);
    }

    // Of four places and three channels, and of one place and as many: the two ways in which it is computed.
    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public void NST_is_the_discrepancy_of_the_channels(int side)
    {
        using var scope = TensorScope.Open();
        var method = new Nst();
        method.Bind(Pair([Make.Square(3, side), Make.Square(3, side)], [Make.Square(2, side), Make.Square(2, side)]));
        var (s, t) = (Make.Values(1, 4, 3, side, side), Make.Values(2, 4, 2, side, side));
        var loss = method.Loss(Make.Step(Make.Stages(s, s), Make.Stages(t, t))).Item();

        double[][] Channels(Tensor features, int n) => [.. Rows(features.Select(0, n)).Select(Unit)];
        double K(double[][] x, double[][] y) => x.SelectMany(a => y.Select(b => Math.Pow(Dot(a, b), 2))).Average();
        var expected = Enumerable.Range(0, 4).Select(n => (S: Channels(s, n), T: Channels(t, n)))
            .Average(image => K(image.T, image.T) + K(image.S, image.S) - 2 * K(image.T, image.S));
        Assert.Equal(expected, loss, 5);
    }

    [Theory]
    [InlineData(5, 1e-5)]
    [InlineData(2, 0.5)]
    [InlineData(1000, 1e-5)]
    public void VID_begins_with_the_variance_that_is_set(double variance, double eps)
    {
        using var scope = TensorScope.Open();
        var method = new Vid { InitialVariance = variance, Eps = eps };
        method.Bind(Pair([Make.Square(3, 4), Make.Square(3, 4)], [Make.Square(2, 4), Make.Square(2, 2)]));
        using (Autograd.NoGrad())
            foreach (var (name, tensor) in method.NamedParameters())
                if (name.EndsWith("4.weight", StringComparison.Ordinal)) tensor.Fill(0);
        var (s, t) = (Make.Values(1, 4, 3, 4, 4), Make.Values(2, 4, 2, 2, 2));
        var loss = method.Loss(Make.Step(Make.Stages(s, s), Make.Stages(t, t))).Item();

        // The last convolution gives 0.
        var expected = t.ToArray<double>().Average(x => 0.5 * (x * x / variance + Math.Log(variance)));
        Assert.Equal(expected, loss, 4);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(4, 2, 0)]
    [InlineData(2, 0, 3)]
    public void DIST_correlates_over_classes_and_over_images(double temperature, double beta, double gamma)
    {
        using var scope = TensorScope.Open();
        var (s, t) = (Make.Values(1, 6, 5), Make.Values(2, 6, 5));
        var terms = new Dist { Temperature = temperature, Beta = beta, Gamma = gamma }.Compute(Make.Step(new(s), new(t)));

        double[][] P(Tensor logits) => [.. Rows(logits).Select(z => Softmax(z, temperature))];
        double[][] Turned(double[][] m) => [.. Enumerable.Range(0, m[0].Length).Select(c => m.Select(row => row[c]).ToArray())];
        double Rho(double[] a, double[] b)
        {
            double[] Centered(double[] x) => [.. x.Select(value => value - x.Average())];
            return Dot(Unit(Centered(a)), Unit(Centered(b)));
        }
        var inter = beta * temperature * temperature * (1 - P(s).Zip(P(t), Rho).Average());
        var intra = gamma * temperature * temperature * (1 - Turned(P(s)).Zip(Turned(P(t)), Rho).Average());
        Assert.Equal(["dist.inter", "dist.intra"], terms.Select(term => term.Name));
        Assert.Equal(inter, terms[0].Value.Item(), 1e-5 * (1 + inter));
        Assert.Equal(intra, terms[1].Value.Item(), 1e-5 * (1 + intra));
    }

    static double[] Softmax(double[] z, double temperature) =>
        [.. z.Select(x => Math.Exp(x / temperature) / z.Sum(other => Math.Exp(other / temperature)))];

    static double[][] Standardized(Tensor logits) => [.. Rows(logits).Select(z =>
    {
        var deviation = Math.Sqrt(z.Sum(x => Math.Pow(x - z.Average(), 2)) / (z.Length - 1));
        return z.Select(x => (x - z.Average()) / deviation).ToArray();
    })];

    static double Divergence(double[] t, double[] s, double temperature) =>
        Softmax(t, temperature).Zip(Softmax(s, temperature), (p, q) => p * Math.Log(p / q)).Sum();

    [Theory]
    [InlineData(1)]
    [InlineData(2.5)]
    [InlineData(4)]
    public void KD_is_the_divergence_at_its_temperature_times_its_square(double temperature)
    {
        using var scope = TensorScope.Open();
        var (s, t) = (Make.Values(1, 6, 5) * 3, Make.Values(2, 6, 5) * 3);
        var loss = new Kd { Temperature = temperature }.Loss(Make.Step(new(s), new(t))).Item();
        Assert.Equal(temperature * temperature * Rows(t).Zip(Rows(s), (a, b) => Divergence(a, b, temperature)).Average(), loss, 5);
    }

    [Fact]
    public void Standardized_logits_have_their_own_temperature_and_weight_and_no_scale()
    {
        using var scope = TensorScope.Open();
        var (s, t) = (Make.Values(1, 6, 5), Make.Values(2, 6, 5));
        var method = new Kd { Standardize = true };
        var loss = method.Loss(Make.Step(new(s), new(t))).Item();
        Assert.Equal(4 * Standardized(t).Zip(Standardized(s), (a, b) => Divergence(a, b, 2)).Average(), loss, 5);
        Assert.Equal(loss, method.Loss(Make.Step(new(s * 100 + 7.0), new(t * 0.01 - 3.0))).Item(), 4);
        Assert.Equal((9, 0.9), (method.Weight, new Kd().Weight));
        Assert.Equal((9, 1), (new Dkd { Standardize = true }.Weight, new Dkd().Weight));
        Assert.Equal(2, new Kd { Standardize = true, Temperature = 3, Weight = 2 }.Weight);

        // With one class beside the label's, DKD is KD: its other part is 0.
        var (a, b) = (Make.Values(3, 4, 2), Make.Values(4, 4, 2));
        Assert.Equal(
            new Kd { Standardize = true, Temperature = 3 }.Loss(Make.Step(new(a), new(b))).Item(),
            new Dkd { Standardize = true, Temperature = 3, Warmup = 0 }.Loss(Make.Step(new(a), new(b))).Item(), 4);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void Label_smoothing_spreads_a_share_of_each_label(double share)
    {
        using var scope = TensorScope.Open();
        var s = Make.Values(1, 4, 5);
        long[] labels = [0, 4, 2, 2];
        var loss = new CrossEntropy { LabelSmoothing = share }.Loss(Make.Step(new(s), new(s), labels)).Item();
        var expected = Rows(s).Zip(labels, (z, y) =>
        {
            var log = z.Select(x => x - Math.Log(z.Sum(Math.Exp))).ToArray();
            return -(1 - share) * log[y] - share * log.Average();
        }).Average();
        Assert.Equal(expected, loss, 5);
    }

    [Fact]
    public void Equal_logits_can_be_standardized()
    {
        using var scope = TensorScope.Open();
        var s = Tensor.Full([3, 4], 2).Leaf();
        var loss = new Kd { Standardize = true }.Loss(Make.Step(new(s), new(Make.Values(1, 3, 4))));
        loss.Backward();
        Assert.True(loss.AllFinite() && s.Grad!.AllFinite());
    }

    [Fact]
    public void ReviewKD_warms_up_and_weighs_by_the_pair()
    {
        using var scope = TensorScope.Open();
        FeatureShape[] student = [Make.Square(3, 8), Make.Square(3, 8), Make.Square(4, 4)];
        FeatureShape[] teacher = [Make.Square(2, 8), Make.Square(2, 8), Make.Square(5, 4)];
        var method = new ReviewKd();
        var lines =
            method.Bind(Make.Pair(Make.Member("resnet20", 4, student), Make.Member("resnet56", 5, teacher, preActivations: teacher)));
        Assert.Equal(
            [
                "reviewkd: the pooled features (4) meet the teacher's (5)",
                "reviewkd: student stage 1 (3x8x8) meets teacher stage 1 (2x8x8)",
                "reviewkd: student stage 2 (4x4x4) meets teacher stage 2 (5x4x4)",
            ], lines);
        Assert.Equal(0.6, method.Weight);

        double Loss(int epoch)
        {
            Tensor[] stages = [Make.Values(2, 3, 3, 8, 8), Make.Values(3, 3, 3, 8, 8), Make.Values(4, 3, 4, 4, 4)];
            var s = new ClassifierOutput(Tensor.Zeros([3, 2]), Make.Values(1, 3, 4), stages);
            Tensor[] t = [Make.Values(5, 3, 2, 8, 8), Make.Values(6, 3, 2, 8, 8), Make.Values(7, 3, 5, 4, 4)];
            return method.Loss(Make.Step(s, new(Tensor.Zeros([3, 2]), Make.Values(8, 3, 5), PreActivations: t), epoch: epoch)).Item();
        }
        Assert.Equal(Loss(20), 4 * Loss(5), 4);
        Assert.Equal(Loss(20), Loss(100), 6);
    }

    [Theory]
    [InlineData("at")]
    [InlineData("nst")]
    [InlineData("vid")]
    [InlineData("reviewkd")]
    public void Networks_without_stages_beside_the_stem_are_refused_by_name(string name)
    {
        using var method = DistillationMethods.Create(name);
        var error = Assert.Throws<UserException>(() => method.Bind(Pair([Make.Square(3, 8)], [Make.Square(3, 8), Make.Square(4, 4)])));
        Assert.Equal($"{name}: small has 1 stages and large 2; each must have at least one beside its stem", error.Message);
    }

    // Features far out, and in one image none at all; a batch of one image as well, as the last of an epoch may be.
    [Theory]
    [InlineData("sp", 5)]
    [InlineData("pkt", 5)]
    [InlineData("nst", 5)]
    [InlineData("vid", 5)]
    [InlineData("reviewkd", 5)]
    [InlineData("dist", 5)]
    [InlineData("sp", 1)]
    [InlineData("pkt", 1)]
    [InlineData("nst", 1)]
    [InlineData("vid", 1)]
    [InlineData("reviewkd", 1)]
    [InlineData("dist", 1)]
    public void It_stays_finite_in_bf16(string name, int images)
    {
        using var scope = TensorScope.Open();
        FeatureShape[] student = [Make.Square(3, 4), Make.Square(3, 4), Make.Square(4, 2)];
        FeatureShape[] teacher = [Make.Square(2, 4), Make.Square(2, 4), Make.Square(5, 2)];
        using var method = DistillationMethods.Create(name);
        method.Bind(Make.Pair(Make.Member("s", 4, student, student), Make.Member("t", 5, teacher, teacher), classes: 6));

        Tensor Far(int seed, params long[] shape)
        {
            var values = Make.Values(seed, shape) * 3e4;
            using (Autograd.NoGrad()) values.Select(0, shape[0] - 1).Fill(0);
            return values.To(DType.BFloat16).Leaf();
        }
        ClassifierOutput Output(int seed, FeatureShape[] stages, long pooled)
        {
            Tensor[] features = [.. stages.Select((stage, i) => Far(seed + i, images, stage.Channels, stage.Height, stage.Width))];
            return new(Far(seed + 7, images, 6), Far(seed + 8, images, pooled), features, features);
        }
        var (s, t) = (Output(1, student, 4), Output(20, teacher, 5));
        using var mixed = Precision.Bf16.Enter(Device.Cpu);
        var loss = method.Loss(Make.Step(s, t));
        loss.Backward();
        Assert.True(loss.AllFinite(), $"{loss.Item()}");
        Assert.All(s.Tensors, tensor => Assert.True(tensor.Grad?.AllFinite() ?? true));
        Assert.All(method.State(), entry => Assert.True(entry.Tensor.AllFinite(), entry.Name));
        Assert.All(method.Parameters(), parameter => Assert.True(parameter.Grad?.AllFinite() ?? true));
    }
}
