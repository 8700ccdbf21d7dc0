using System.Globalization;
using DistillSharp.Methods;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Methods;

public class RkdTests
{
    public const string MemoryRole = "rkd-memory";

    // The definition with all N x N x D differences in memory.
    static Tensor Direct(Tensor s, Tensor t)
    {
        var ((ds, es), (dt, et)) = (Relations(s), Relations(t));
        return Functional.SmoothL1(ds, dt) * 25 + Functional.SmoothL1(es.MatMul(es.Transpose(1, 2)), et.MatMul(et.Transpose(1, 2))) * 50;

        static (Tensor D, Tensor E) Relations(Tensor x)
        {
            var N = x.Size(0);
            var apart = 1.0 - Tensor.Eye(N, DType.Float64);
            var differences = x.Unsqueeze(0) - x.Unsqueeze(1);
            var d = (differences.Pow(2).Sum(2) + Tensor.Eye(N, DType.Float64)).Sqrt() * apart;
            return (d / (d.Sum() / (N * (N - 1))), differences / (d + Tensor.Eye(N, DType.Float64)).Unsqueeze(2));
        }
    }

    [Theory]
    [InlineData(3, 3, 5, 0)]
    [InlineData(7, 2, 4, 0)]
    [InlineData(33, 16, 16, 0)]
    [InlineData(100, 24, 8, 0)]
    // So large that the angles come in pieces.
    [InlineData(130, 8, 90, 0)]
    // Features far from the origin, as pooled ReLU outputs are.
    [InlineData(64, 32, 32, 2)]
    public void It_is_the_definition(int N, int width, int teacherWidth, double center)
    {
        using var scope = TensorScope.Open();
        var s = (Make.Values(1, N, width) + center).Leaf();
        var t = Make.Values(2, N, teacherWidth) + center;
        var loss = new Rkd().Loss(Make.Step(Make.Pooled(s), Make.Pooled(t)));
        loss.Backward();

        var exact = s.Detach().To(DType.Float64).Leaf();
        var expected = Direct(exact, t.To(DType.Float64));
        expected.Backward();
        Assert.True(Make.RelativeError(loss.Reshape(1), expected.Reshape(1)) < 1e-5, $"{loss.Item()} instead of {expected.Item()}");
        Assert.True(Make.RelativeError(s.Grad!, exact.Grad!) < 1e-4, $"relative error {Make.RelativeError(s.Grad!, exact.Grad!)}");
    }

    [Fact]
    public void Samples_that_coincide_have_no_direction()
    {
        using var scope = TensorScope.Open();
        var four = Make.Values(1, 4, 8);
        var s = Tensor.Cat([four, four]).Leaf();
        var loss = new Rkd().Loss(Make.Step(Make.Pooled(s), Make.Pooled(Make.Values(2, 8, 8))));
        loss.Backward();
        Assert.True(loss.Item() < 100);
        Assert.True(s.Grad!.Abs().Max().Item() < 100);
    }

    [Fact]
    public void A_batch_of_one_has_no_relations()
    {
        using var scope = TensorScope.Open();
        var s = Make.Values(1, 1, 8).Leaf();
        var loss = new Rkd().Loss(Make.Step(Make.Pooled(s), Make.Pooled(Make.Values(2, 1, 8))));
        loss.Backward();
        Assert.Equal(0, loss.Item());
        Assert.Equal(0, s.Grad!.Abs().Sum().Item());
    }

    [Fact]
    public void Distances_and_angles_are_logged_apart()
    {
        using var scope = TensorScope.Open();
        var step = Make.Step(Make.Pooled(Make.Values(1, 6, 8)), Make.Pooled(Make.Values(2, 6, 8)));
        Assert.Equal(["rkd.distance", "rkd.angle"], new Rkd().Compute(step).Select(term => term.Name));
        var terms = new Rkd { DistanceWeight = 1, AngleWeight = 1 }.Compute(step).Select(term => term.Value.Item()).ToArray();
        Assert.Equal(new Rkd().Loss(step).Item(), 25 * terms[0] + 50 * terms[1], 4);
    }

    [Fact]
    public void At_batch_512_it_takes_less_than_300_MB()
    {
        using var child = ChildProgram.Start(MemoryRole);
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, child.StandardError.ReadToEnd());
        Assert.InRange(double.Parse(output, CultureInfo.InvariantCulture), 1, 300);
    }

    /// <summary>Prints by how many MB the process grew at its highest over a step at batch 512, width 256.</summary>
    public static int PrintMemory(string[] _)
    {
        Step(8);
        Console.WriteLine(ProcessMemory.PeakGrowth(() => Step(512)));
        return 0;

        static void Step(int batch)
        {
            using var scope = TensorScope.Open();
            var s = Make.Values(1, batch, 256).Leaf();
            new Rkd().Loss(Make.Step(Make.Pooled(s), Make.Pooled(Make.Values(2, batch, 256)))).Backward();
            if (!s.Grad!.AllFinite()) throw new InvalidOperationException("the gradient is not finite");
        }
    }
}
