using DistillSharp.Methods;
using DistillSharp.Torch;
using FsCheck;
using FsCheck.Fluent;

namespace DistillSharp.Tests.Methods;

public class FsecdTests
{
    /// <summary>A batch of N student features R^a and teacher features R^b with labels, as a small one or as a large one.</summary>
    public sealed record Batch(
        int Seed, int Size, int Width, int TeacherWidth, int Classes, PositivePairs Policy, double Temperature, bool Large)
    {
        internal Tensor Student => Make.Values(Seed, Size, Width);

        internal Tensor Teacher => Make.Values(Seed + 1, Size, TeacherWidth);

        internal long[] Labels => [.. new Random(Seed).GetItems(Enumerable.Range(0, Classes).Select(c => (long)c).ToArray(), Size)];

        internal Fsecd Method()
        {
            var method = new Fsecd { Policy = Policy, Temperature = Temperature, LargeBatch = Large ? 1 : long.MaxValue };
            method.Bind(Make.Pair(Make.Member("student", Width), Make.Member("teacher", TeacherWidth), Classes));
            // libtorch's generator is shared with all other tests: the weights come from the seed alone.
            using var off = Autograd.NoGrad();
            foreach (var parameter in method.Parameters()) parameter.CopyFrom(Make.Values(Seed + 2, [.. parameter.Shape]));
            return method;
        }

        internal double Loss(Tensor student, Tensor teacher, long[] labels) =>
            Method().Loss(Make.Step(Make.Pooled(student), Make.Pooled(teacher), labels)).Item();
    }

    static readonly Arbitrary<Batch> batches = Arb.From(
        from seed in Gen.Choose(0, 100_000)
        from size in Gen.Choose(1, 24)
        from width in Gen.Choose(1, 12)
        from teacherWidth in Gen.Elements(width, width + 3)
        from classes in Gen.Choose(1, 12)
        from policy in Gen.Elements(PositivePairs.Instance, PositivePairs.Class)
        from temperature in Gen.Elements(0.05, 0.1, 0.5, 1.0)
        from large in Gen.Elements(false, true)
        select new Batch(seed, size, width, teacherWidth, classes, policy, temperature, large));

    static void Holds(Func<Batch, bool> law) => Prop.ForAll(batches, batch =>
    {
        using var scope = TensorScope.Open();
        return law(batch);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void It_is_the_formula() => Holds(batch =>
    {
        var method = batch.Method();
        var s = batch.Student;
        var loss = method.Loss(Make.Step(Make.Pooled(s), Make.Pooled(batch.Teacher), batch.Labels)).Item();
        var phi = method.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        if (phi.Count > 0) s = s.MatMul(phi["embed.weight"].Transpose()) + phi["embed.bias"];
        return Near(loss, Formula(Rows(s), Rows(batch.Teacher), batch.Labels, batch.Policy, batch.Temperature));
    });

    [Fact]
    public void The_order_of_the_batch_does_not_matter() => Holds(batch =>
    {
        var order = Enumerable.Range(0, batch.Size).Select(i => (long)i).ToArray();
        new Random(batch.Seed).Shuffle(order);
        var shuffled = batch.Loss(
            batch.Student.IndexSelect(0, Tensor.From(order)),
            batch.Teacher.IndexSelect(0, Tensor.From(order)),
            [.. order.Select(i => batch.Labels[i])]);
        return Near(batch.Loss(batch.Student, batch.Teacher, batch.Labels), shuffled);
    });

    [Fact]
    public void The_scale_of_the_features_does_not_matter() => Holds(batch =>
    {
        // A linear layer with a bias is no longer indifferent to the student's scale.
        var scale = batch.Width == batch.TeacherWidth ? 17.0 : 1.0;
        return Near(
            batch.Loss(batch.Student, batch.Teacher, batch.Labels), batch.Loss(batch.Student * scale, batch.Teacher * 0.01, batch.Labels));
    });

    [Fact]
    public void Both_policies_agree_when_all_labels_differ() => Holds(batch =>
    {
        long[] labels = [.. Enumerable.Range(0, batch.Size).Select(i => (long)i * 3)];
        var instance = (batch with { Policy = PositivePairs.Instance }).Loss(batch.Student, batch.Teacher, labels);
        return instance == (batch with { Policy = PositivePairs.Class }).Loss(batch.Student, batch.Teacher, labels);
    });

    [Fact]
    public void The_gradient_reaches_the_student_only() => Holds(batch =>
    {
        var (s, t) = (batch.Student.Leaf(), batch.Teacher.Leaf());
        batch.Method().Loss(Make.Step(Make.Pooled(s), Make.Pooled(t), batch.Labels)).Backward();
        return s.Grad is { } gradient && gradient.AllFinite() && t.Grad is null;
    });

    [Fact]
    public void Equal_similarities_cost_log_N() => Holds(batch =>
    {
        var (s, t) = (Tensor.Ones([batch.Size, batch.Width]), Tensor.Ones([batch.Size, batch.TeacherWidth]));
        return Near(Math.Log(batch.Size), batch.Loss(s, t, batch.Labels));
    });

    [Fact]
    public void At_temperature_001_it_stays_finite_in_bf16() => Holds(batch =>
    {
        // Features far apart and, in one row, none at all; in the type that networks of this precision give.
        var type = Precision.Bf16.Resolve(Device.Cpu) == Precision.Bf16 ? DType.BFloat16 : DType.Float32;
        var s = Tensor.Cat([batch.Student * 1e4, Tensor.Zeros([1, batch.Width])]).To(type).Leaf();
        var t = Tensor.Cat([batch.Teacher * 1e4, Tensor.Zeros([1, batch.TeacherWidth])]).To(type);
        using var mixed = Precision.Bf16.Enter(Device.Cpu);
        var loss = (batch with { Temperature = 0.01 }).Method().Loss(Make.Step(Make.Pooled(s), Make.Pooled(t), [.. batch.Labels, 0]));
        loss.Backward();
        return loss.AllFinite() && s.Grad!.AllFinite();
    });

    // 512 is the first size whose gradient is written out; of 1000, the matrix comes in pieces.
    [Theory]
    [InlineData(511, 12, 12, PositivePairs.Instance)]
    [InlineData(512, 12, 12, PositivePairs.Class)]
    [InlineData(1000, 16, 16, PositivePairs.Instance)]
    [InlineData(1000, 16, 9, PositivePairs.Class)]
    public void Large_batches_have_the_gradient_of_the_formula(int size, int width, int teacherWidth, PositivePairs policy)
    {
        using var scope = TensorScope.Open();
        var batch = new Batch(Seed: 3, size, width, teacherWidth, Classes: 40, policy, Temperature: 0.1, Large: false);
        var method = batch.Method();
        method.LargeBatch = new Fsecd().LargeBatch;
        var s = batch.Student.Leaf();
        var loss = method.Loss(Make.Step(Make.Pooled(s), Make.Pooled(batch.Teacher), batch.Labels));
        loss.Backward();

        var exact = batch.Student.To(DType.Float64).Leaf();
        var phi = method.NamedParameters().Select(entry => (entry.Name, Value: entry.Tensor.Detach().To(DType.Float64).Leaf())).ToArray();
        var z = Functional.Normalize(phi.Length > 0 ? Functional.Linear(exact, phi[0].Value, phi[1].Value) : exact);
        var logits = z.MatMul(Functional.Normalize(batch.Teacher.To(DType.Float64)).Transpose()) / 0.1;
        var y = Tensor.From(batch.Labels);
        var positive =
            (policy == PositivePairs.Class ? y.Unsqueeze(1).EqualTo(y.Unsqueeze(0)) : Tensor.Eye(size).GreaterThan(0)).To(DType.Float64);
        var expected = -(Functional.LogSoftmax(logits) * positive / positive.Sum(1, keep: true)).Sum() / size;
        expected.Backward();

        Assert.Equal(expected.Item(), loss.Item(), 1e-5);
        Assert.InRange(Make.RelativeError(s.Grad!, exact.Grad!), 0, 1e-5);
        foreach (var ((_, tensor), (name, value)) in method.NamedParameters().Zip(phi))
            Assert.True(Make.RelativeError(tensor.Grad!, value.Grad!) < 1e-5, name);
    }

    [Theory]
    [InlineData(PositivePairs.Instance, false)]
    [InlineData(PositivePairs.Class, false)]
    [InlineData(PositivePairs.Instance, true)]
    [InlineData(PositivePairs.Class, true)]
    public void A_batch_of_one_costs_nothing(PositivePairs policy, bool large)
    {
        using var scope = TensorScope.Open();
        var batch = new Batch(Seed: 5, Size: 1, Width: 4, TeacherWidth: 4, Classes: 10, policy, Temperature: 0.1, large);
        var s = batch.Student.Leaf();
        var loss = batch.Method().Loss(Make.Step(Make.Pooled(s), Make.Pooled(batch.Teacher), [7]));
        loss.Backward();
        Assert.Equal(0, loss.Item(), 6);
        Assert.Equal(0, s.Grad!.Abs().Max().Item(), 5);
    }

    // Five images of five classes and ten of a sixth.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_class_that_is_seen_once_has_its_image_as_its_only_positive(bool large)
    {
        using var scope = TensorScope.Open();
        var batch = new Batch(Seed: 6, Size: 15, Width: 8, TeacherWidth: 8, Classes: 6, PositivePairs.Class, Temperature: 0.1, large);
        var s = batch.Student.Leaf();
        long[] labels = [1, 2, 3, 4, 5, .. Enumerable.Repeat(9L, 10)];
        var loss = batch.Method().Loss(Make.Step(Make.Pooled(s), Make.Pooled(batch.Teacher), labels));
        loss.Backward();
        Assert.True(Near(loss.Item(), Formula(Rows(batch.Student), Rows(batch.Teacher), labels, PositivePairs.Class, 0.1)));
        Assert.True(s.Grad!.AllFinite());
        Assert.All(Enumerable.Range(0, 15), i => Assert.True(s.Grad.Narrow(0, i, 1).Abs().Max().Item() > 0));
    }

    [Fact]
    public void The_logits_can_take_the_place_of_the_pooled_features()
    {
        using var scope = TensorScope.Open();
        var (s, t) = (Make.Values(1, 8, 10), Make.Values(2, 8, 10));
        var method = new Fsecd { Layer = EmbeddedLayer.Logits, Temperature = 0.1 };
        method.Bind(Make.Pair(Make.Member("student", 3), Make.Member("teacher", 5), classes: 10));
        Assert.Empty(method.Parameters());
        var loss = method.Loss(Make.Step(new(s), new(t)));
        Assert.Equal(Formula(Rows(s), Rows(t), new long[8], PositivePairs.Instance, 0.1), loss.Item(), 4);
    }

    [Fact]
    public void A_temperature_of_0_is_refused()
    {
        var error = Assert.Throws<UsageException>(() => new Fsecd { Temperature = 0 }.Bind(Make.Pair(Make.Member("a"), Make.Member("b"))));
        Assert.Equal("fsecd: temperature is 0; it must be greater than 0", error.Message);
    }

    // The definition, written out in double precision.
    static double Formula(double[][] s, double[][] t, long[] y, PositivePairs policy, double tau)
    {
        var (z, u) = (s.Select(Unit).ToArray(), t.Select(Unit).ToArray());
        double S(int i, int j) => z[i].Zip(u[j], (a, b) => a * b).Sum() / tau;
        var N = s.Length;
        return -Enumerable.Range(0, N).Average(i =>
        {
            var P = policy == PositivePairs.Instance ? [i] : Enumerable.Range(0, N).Where(j => y[j] == y[i]).ToArray();
            return P.Average(p => S(i, p) - Math.Log(Enumerable.Range(0, N).Sum(j => Math.Exp(S(i, j)))));
        });
    }

    static double[] Unit(double[] v)
    {
        var length = Math.Max(1e-12, Math.Sqrt(v.Sum(x => x * x)));
        return [.. v.Select(x => x / length)];
    }

    static double[][] Rows(Tensor x) => [.. x.ToArray<double>().Chunk((int)x.Size(1))];

    static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-4 * (1 + Math.Abs(a));
}
