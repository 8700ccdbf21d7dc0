using DistillSharp.Methods;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Methods;

/// <summary>Multi-level logit distillation against its formula worked out by plain arithmetic.</summary>
public class MlldTests
{
    const int N = 4, K = 5;

    static double[][] Softmax(Tensor logits, double temperature) =>
    [
        .. logits.ToArray<double>().Chunk(K).Select(z =>
            z.Select(x => Math.Exp(x / temperature) / z.Sum(other => Math.Exp(other / temperature))).ToArray()),
    ];

    static double[][] Turned(double[][] m) => [.. Enumerable.Range(0, m[0].Length).Select(c => m.Select(row => row[c]).ToArray())];

    static double Distance(double[][] a, double[][] b) =>
        (from i in Enumerable.Range(0, a.Length)
         from j in Enumerable.Range(0, a.Length)
         select Math.Pow(Dot(a[i], a[j]) - Dot(b[i], b[j]), 2)).Sum();

    static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    static DistillationStep Step(Tensor s, Tensor t, Tensor s2, Tensor t2) =>
        Make.Step(new(s), new(t)) with { Second = new(new(s2), new(t2)) };

    [Fact]
    public void It_aligns_instances_of_two_views_and_batch_and_classes_of_the_first()
    {
        using var scope = TensorScope.Open();
        var (s, t, s2, t2) = (Make.Values(1, N, K) * 4, Make.Values(2, N, K) * 4, Make.Values(3, N, K) * 4, Make.Values(4, N, K) * 4);
        var terms = new Mlld().Compute(Step(s, t, s2, t2));

        double[] temperatures = [2, 3, 4, 5, 6];
        double Divergence(Tensor student, Tensor teacher, double T) => T * T * Softmax(teacher, T).Zip(Softmax(student, T),
            (p, q) => p.Zip(q, (x, y) => x * Math.Log(x / y)).Sum()).Average();
        double[] expected =
        [
            temperatures.Sum(T => Divergence(s, t, T) + Divergence(s2, t2, T)),
            temperatures.Sum(T => Distance(Softmax(s, T), Softmax(t, T))) / N,
            temperatures.Sum(T => Distance(Turned(Softmax(s, T)), Turned(Softmax(t, T)))) / K,
        ];
        Assert.Equal(["mlld.instance", "mlld.batch", "mlld.class"], terms.Select(term => term.Name));
        foreach (var (value, term) in expected.Zip(terms)) Assert.Equal(value, term.Value.Item(), 1e-5 * (1 + value));
        Assert.Equal((.9, .1), (new Mlld().Weight, new Mlld().CrossEntropyWeight));
    }

    [Fact]
    public void A_student_that_agrees_has_no_loss()
    {
        using var scope = TensorScope.Open();
        var (t, t2) = (Make.Values(2, N, K), Make.Values(4, N, K));
        Assert.All(new Mlld().Compute(Step(t, t, t2, t2)), term => Assert.Equal(0, term.Value.Item(), 1e-5));
        Assert.True(new Mlld().Compute(Step(t, t, t, t2))[0].Value.Item() > .1);
    }

    [Fact]
    public void Cross_entropy_is_summed_over_both_views()
    {
        using var scope = TensorScope.Open();
        var (s, s2) = (Make.Values(1, N, K), Make.Values(3, N, K));
        long[] labels = [0, 4, 2, 2];
        double Loss(Tensor first, Tensor? second)
        {
            var step = Make.Step(new(first), new(first), labels);
            return new CrossEntropy().Loss(second is null ? step : step with { Second = new(new(second), new(second)) }).Item();
        }
        Assert.Equal(Loss(s, null) + Loss(s2, null), Loss(s, s2), 1e-5);
    }

    [Fact]
    public void It_stays_finite_in_bf16()
    {
        using var scope = TensorScope.Open();
        Tensor Far(int seed) => (Make.Values(seed, N, K) * 3e4).To(DType.BFloat16).Leaf();
        var (s, s2) = (Far(1), Far(3));
        using var mixed = Precision.Bf16.Enter(Device.Cpu);
        var loss = new Mlld().Loss(Step(s, Far(2), s2, Far(4)));
        loss.Backward();
        Assert.True(loss.AllFinite() && s.Grad!.AllFinite() && s2.Grad!.AllFinite());
    }

    [Fact]
    public void One_view_is_not_enough() => Assert.Equal("mlld compares two views of each image, and the step has one",
        Assert.Throws<UsageException>(() => new Mlld().Compute(Make.Step(new(Make.Values(1, N, K)), new(Make.Values(2, N, K))))).Message);
}
