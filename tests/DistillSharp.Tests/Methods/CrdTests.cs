using System.Globalization;
using DistillSharp.Methods;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Methods;

public class CrdTests
{
    public const string MemoryRole = "crd-memory";

    static Crd Bound(int samples, int negatives, NegativeSampling sampling = NegativeSampling.Exact, int dimensions = 8, ulong seed = 1)
    {
        Runtime.Seed(seed);
        var method = new Crd { Negatives = negatives, FeatureDim = dimensions, Sampling = sampling };
        method.Bind(
            Make.Pair(Make.Member("s", 6), Make.Member("t", 10), labels: [.. Enumerable.Range(0, samples).Select(i => i % 5)], seed: seed));
        return method;
    }

    static DistillationStep Step(int seed, long[] indices, int epoch = 1) => Make.Step(
        Make.Pooled(Make.Values(seed, indices.Length, 6)), Make.Pooled(Make.Values(seed + 1, indices.Length, 10)), indices: indices,
            epoch: epoch);

    static Dictionary<string, Tensor> State(Crd method) => method.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);

    // One way multiplies with the whole memory, the other gathers rows of it: which is taken depends on the sizes.
    [Theory]
    [InlineData(40, 30)]
    [InlineData(400, 6)]
    public void It_is_the_published_estimate(int samples, int negatives)
    {
        using var scope = TensorScope.Open();
        var method = Bound(samples, negatives);
        var state = State(method);
        var before = state.ToDictionary(entry => entry.Key, entry => entry.Value.Detach().Clone());
        var step = Step(3, [5, 0, 17]);
        var contrasts = Tensor.From(Enumerable.Range(0, 3).SelectMany(i => step.Indices.ToArray<long>()[i..(i + 1)].Concat(
            Enumerable.Range(0, negatives).Select(k => (7L * k + i) % samples))).ToArray(), 3, negatives + 1);
        var loss = method.Contrast(step, contrasts);
        loss.Backward();

        double[][] Embedded(string name, Tensor x) =>
            Rows(Functional.Normalize(Functional.Linear(x, before[$"{name}.linear.weight"], before[$"{name}.linear.bias"])));
        var (vs, vt) = (Embedded("embed_s", step.Student.Pooled!), Embedded("embed_t", step.Teacher.Pooled!));
        var (ms, mt) = (Rows(before["memory_student"]), Rows(before["memory_teacher"]));
        var j = contrasts.ToArray<long>().Chunk(negatives + 1).ToArray();
        var (forStudent, zs) = Term(vs, mt, j);
        var (forTeacher, zt) = Term(vt, ms, j);
        Assert.Equal(forStudent + forTeacher, loss.Item(), 3);
        Assert.Equal(zs, state["z"].Select(0, 0).Item(), zs * 1e-5);
        Assert.Equal(zt, state["z"].Select(0, 1).Item(), zt * 1e-5);
        Assert.All(method.NamedParameters(), entry => Assert.True(entry.Tensor.Grad!.Abs().Sum().Item() > 0, entry.Name));

        // Only the batch's own rows move.
        var after = Rows(state["memory_student"]);
        for (var i = 0; i < samples; i++)
        {
            var at = Array.IndexOf([5, 0, 17], i);
            Assert.Equal(at < 0 ? ms[i] : Unit(ms[i].Zip(vs[at], (m, v) => m / 2 + v / 2)), after[i], (a, b) => Math.Abs(a - b) < 1e-5);
        }
    }

    // As published, an epsilon under the logarithms included.
    static (double Loss, double Z) Term(double[][] v, double[][] memory, long[][] contrasts)
    {
        var (n, K) = ((double)memory.Length, contrasts[0].Length - 1.0);
        var scores =
            contrasts.Select((row, i) => row.Select(j => Math.Exp(v[i].Zip(memory[j], (a, b) => a * b).Sum() / 0.07)).ToArray()).ToArray();
        var Z = scores.SelectMany(row => row).Average() * n;
        const double epsilon = 1e-7;
        var h = scores.Sum(row => row.Select((score, k) =>
            k == 0 ? Math.Log(score / Z / (score / Z + K / n + epsilon)) : Math.Log(K / n / (score / Z + K / n + epsilon))).Sum());
        return (-h / v.Length, Z);
    }

    static double[][] Rows(Tensor x) => [.. x.ToArray<double>().Chunk((int)x.Size(1))];

    static double[] Unit(IEnumerable<double> v)
    {
        var length = Math.Sqrt(v.Sum(x => x * x));
        return [.. v.Select(x => x / length)];
    }

    [Fact]
    public void The_normalizers_are_set_once()
    {
        using var scope = TensorScope.Open();
        var method = Bound(40, 10);
        Assert.Equal([-1, -1], State(method)["z"].ToArray<double>());
        method.Loss(Step(1, [0, 1]));
        var z = State(method)["z"].ToArray<double>();
        Assert.All(z, value => Assert.True(value > 0));
        method.Loss(Step(5, [2, 3]));
        Assert.Equal(z, State(method)["z"].ToArray<double>());
    }

    [Fact]
    public void A_resumed_run_goes_on_as_if_it_had_not_stopped()
    {
        using var scope = TensorScope.Open();
        var (whole, resumed) = (Bound(50, 12), Bound(50, 12));
        whole.Loss(Step(1, [3, 4, 5]));
        using (Autograd.NoGrad())
            foreach (var (name, tensor) in State(resumed)) tensor.CopyFrom(State(whole)[name]);
        Assert.Equal(whole.Loss(Step(7, [10, 3, 20], epoch: 2)).Item(), resumed.Loss(Step(7, [10, 3, 20], epoch: 2)).Item());
        Assert.True(State(whole)["memory_teacher"].SameAs(State(resumed)["memory_teacher"]));
    }

    static long[] Draw(int[] labels, NegativeSampling sampling, int count, long sample, int epoch = 1, ulong seed = 1)
    {
        var row = new long[count];
        new NegativeDraws(labels, sampling, seed).Fill(row, sample, epoch);
        return row;
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(1000)]
    public void Negatives_exclude_the_own_class_or_the_sample_and_come_once_before_any_comes_twice(int samples)
    {
        int[] labels = [.. Enumerable.Range(0, samples).Select(i => i % 2)];
        for (var sample = 0; sample < Math.Min(samples, 50); sample++)
        {
            var others = Enumerable.Range(0, samples).Where(i => labels[i] != labels[sample]).Select(i => (long)i).ToArray();
            var exact = Draw(labels, NegativeSampling.Exact, others.Length * 2, sample);
            Assert.Equal(others, exact[..others.Length].Order());
            Assert.Equal(others, exact[others.Length..].Order());
            var relax = Draw(labels, NegativeSampling.Relax, samples - 1, sample);
            Assert.Equal(Enumerable.Range(0, samples).Where(i => i != sample).Select(i => (long)i), relax.Order());
        }
    }

    [Fact]
    public void Draws_depend_on_seed_epoch_and_sample_only()
    {
        int[] labels = [.. Enumerable.Range(0, 500).Select(i => i % 10)];
        var row = Draw(labels, NegativeSampling.Exact, 20, sample: 4);
        Assert.Equal(row, Draw(labels, NegativeSampling.Exact, 40, sample: 4)[..20]);
        Assert.NotEqual(row, Draw(labels, NegativeSampling.Exact, 20, sample: 14));
        Assert.NotEqual(row, Draw(labels, NegativeSampling.Exact, 20, sample: 4, epoch: 2));
        Assert.NotEqual(row, Draw(labels, NegativeSampling.Exact, 20, sample: 4, seed: 2));
    }

    [Theory]
    [InlineData(3, NegativeSampling.Exact, 7)]
    [InlineData(2, NegativeSampling.Relax, 7)]
    [InlineData(100, NegativeSampling.Exact, 64)]
    [InlineData(1000, NegativeSampling.Exact, 200)]
    [InlineData(1000, NegativeSampling.Exact, 3000)]
    [InlineData(5000, NegativeSampling.Relax, 4000)]
    [InlineData(70000, NegativeSampling.Exact, 500)]
    public void Operators_draw_what_the_loop_draws(int samples, NegativeSampling sampling, int count)
    {
        using var scope = TensorScope.Open();
        int[] labels = [.. Enumerable.Range(0, samples).Select(i => i % 7 == 0 ? 1 : i % 2)];
        using var draws = new NegativeDraws(labels, sampling, seed: 9);
        long[] own = [0, samples - 1, samples / 2, 1, 0];
        var rows = draws.Rows(Tensor.From(own), count, epoch: 3).ToArray<long>().Chunk(count).ToArray();
        Assert.All(own.Zip(rows), row => Assert.Equal(Draw(labels, sampling, count, row.First, epoch: 3, seed: 9), row.Second));
    }

    [Theory]
    [InlineData(61)]
    [InlineData(1000)]
    public void Every_negative_is_equally_likely_at_every_place(int samples)
    {
        var labels = new int[samples];
        const int places = 8, epochs = 4000;
        var seen = new int[samples];
        var first = new int[samples];
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            var row = Draw(labels, NegativeSampling.Relax, places, sample: 0, epoch);
            first[row[0]]++;
            foreach (var other in row) seen[other]++;
        }
        Assert.Equal(0, seen[0]);
        // Chi squared: mean and variance follow from its degrees of freedom; five deviations.
        AssertUniform(seen[1..], epochs * places / (samples - 1.0));
        AssertUniform(first[1..], epochs / (samples - 1.0));

        static void AssertUniform(int[] counts, double expected)
        {
            var chi = counts.Sum(count => (count - expected) * (count - expected) / expected);
            var freedom = counts.Length - 1.0;
            Assert.InRange(chi, freedom - 5 * Math.Sqrt(2 * freedom), freedom + 5 * Math.Sqrt(2 * freedom));
        }
    }

    [Theory]
    [InlineData(NegativeSampling.Exact, new[] { 3, 3, 3 }, "samples of two classes")]
    [InlineData(NegativeSampling.Relax, new[] { 3 }, "two samples")]
    [InlineData(NegativeSampling.Relax, new int[0], "two samples")]
    public void Without_negatives_it_is_refused(NegativeSampling sampling, int[] labels, string needed)
    {
        var error =
            Assert.Throws<UserException>(
                () => new Crd { Sampling = sampling }.Bind(Make.Pair(Make.Member("s"), Make.Member("t"), labels: labels)));
        Assert.Contains(needed, error.Message);
    }

    [Fact]
    public void Beside_the_memories_it_needs_little()
    {
        using var child = ChildProgram.Start(MemoryRole);
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, child.StandardError.ReadToEnd());
        var megabytes = output.Split('\n').Take(2).Select(line => double.Parse(line, CultureInfo.InvariantCulture)).ToArray();
        // Two memories of 200,000 x 128 float32 are 205 MB: 1.28 million images need 6.4 times as much, 1.3 GB.
        Assert.InRange(megabytes[0], 205, 215);
        Assert.InRange(megabytes[1], 1, 250);
    }

    /// <summary>
    /// Prints by how many MB the process grew when it bound to 200,000 samples, and then over a step of 32 with 16,384 negatives.
    /// </summary>
    public static int PrintMemory(string[] _)
    {
        using var scope = TensorScope.Open();
        Bound(100, 10).Loss(Step(1, [0, 1]));
        Crd? method = null;
        Console.WriteLine(ProcessMemory.PeakGrowth(() => method = Bound(200_000, 16384, dimensions: 128)));
        var indices = Enumerable.Range(0, 32).Select(i => 1000L * i).ToArray();
        Console.WriteLine(ProcessMemory.PeakGrowth(() => method!.Loss(Step(1, indices)).Backward()));
        return 0;
    }
}
