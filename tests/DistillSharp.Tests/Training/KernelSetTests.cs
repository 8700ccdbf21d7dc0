using System.Globalization;
using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Training;

/// <summary>
/// The kernels of this project are compiled for several instruction sets, of which a processor runs the fastest: here each is made
/// to run in a process of its own.
/// </summary>
public class KernelSetTests
{
    public const string Role = "kernel-set";

    static readonly Lazy<double[]> fastest = new(() => Figures(""));

    [Theory]
    [InlineData("baseline")]
    [InlineData("avx2")]
    [InlineData("avx512")]
    public void Every_instruction_set_computes_the_same(string set)
    {
        var (chosen, restricted) = (fastest.Value, Figures($"; export DISTILLSHARP_KERNELS={set}"));
        Assert.Equal(chosen.Length, restricted.Length);
        for (var i = 0; i < chosen.Length; i++)
        {
            // The second half is of bf16, of 8 binary digits, where libtorch's own operators round more often.
            var tolerance = i < chosen.Length / 2 ? 1e-4 : 0.03;
            Assert.True(
                Math.Abs(chosen[i] - restricted[i]) <= tolerance * Math.Max(1, Math.Abs(chosen[i])),
                $"figure {i}: {restricted[i]} instead of {chosen[i]}");
        }
    }

    // Where the suite runs as on another processor, oneDNN is kept from instructions that these kernels would count on.
    static double[] Figures(string prepare)
    {
        using var child = ChildProgram.StartIn("unset DISTILLSHARP_KERNELS ONEDNN_MAX_CPU_ISA ATEN_CPU_CAPABILITY" + prepare, Role);
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, child.StandardError.ReadToEnd());
        var figures =
            Array.ConvertAll(
                output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => double.Parse(line, CultureInfo.InvariantCulture));
        Assert.All(figures, figure => Assert.True(double.IsFinite(figure)));
        return figures;
    }

    /// <summary>Prints a step's loss, the norm of every gradient and the folded network's loss, in float32 and in bf16.</summary>
    public static int Print(string[] _)
    {
        foreach (var precision in new[] { Precision.Fp32, Precision.Bf16 })
        {
            using var scope = TensorScope.Open();
            using var network = Networks.Create("resnet8", 10, seed: 1);
            Runtime.Seed(2);
            var images = Tensor.Randn([8, 3, 32, 32]).Contiguous(MemoryFormat.ChannelsLast);
            var labels = Tensor.Range(0, 8);
            using var mixed = precision.Enter(Device.Cpu);
            network.Train();
            var loss = Functional.CrossEntropy(network.Forward(images).Logits, labels);
            loss.Backward();
            Show(loss);
            foreach (var parameter in network.Parameters()) Show((parameter.Grad! * parameter.Grad!).Sum().Sqrt());
            using var off = Autograd.NoGrad();
            using var folding = network.FoldNorms();
            Show(Functional.CrossEntropy(network.Forward(images).Logits, labels));
        }
        return 0;

        static void Show(Tensor value) =>
            Console.WriteLine(value.Detach().To(DType.Float64).Item().ToString("R", CultureInfo.InvariantCulture));
    }
}
