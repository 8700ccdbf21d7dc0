using System.Diagnostics;

namespace DistillSharp.Torch;

/// <summary>
/// Whether training gains by bfloat16 on this processor: a residual block of 16 channels at 32x32 for 64 images, forward and backward, as
/// networks for CIFAR begin with, by the operators and the threads of training, in both types by turns.
/// </summary>
static class Bf16Trial
{
    const int Turns = 6, Images = 64, Channels = 16, Side = 32;

    static readonly Lazy<bool> faster = new(Measure);

    public static bool IsFaster => faster.Value;

    // On a thread of its own, where nobody has turned off recording or turned on autocast.
    static bool Measure() => Runtime.HasNativeBf16 && Task.Factory.StartNew(
        () =>
        {
            using var scope = TensorScope.Open();
            var (fp32, bf16) = (new Block(Precision.Fp32), new Block(Precision.Bf16));
            var (slow, fast) = (double.PositiveInfinity, double.PositiveInfinity);
            for (var turn = 0; turn < Turns; turn++)
                (slow, fast) = (Math.Min(slow, fp32.Seconds()), Math.Min(fast, bf16.Seconds()));
            return fast < slow;
        }, TaskCreationOptions.LongRunning).GetAwaiter().GetResult();

    sealed class Block
    {
        readonly Precision precision;
        readonly Tensor x;
        readonly Tensor[] weights = [Weight(Channels, Channels, 3, 3), Weight(Channels, Channels, 3, 3)];
        readonly Tensor[] scales = [Weight(Channels), Weight(Channels)], shifts = [Weight(Channels), Weight(Channels)];
        readonly Tensor mean = Tensor.Zeros([Channels]), variance = Tensor.Ones([Channels]);

        public Block(Precision precision)
        {
            this.precision = precision;
            x = Tensor.Full([Images, Channels, Side, Side], 0.5, precision == Precision.Bf16 ? DType.BFloat16 : DType.Float32)
                .Contiguous(MemoryFormat.ChannelsLast);
            x.RequiresGrad = true;
        }

        // The best turn counts: what another program interrupts takes longer.
        public double Seconds()
        {
            using var scope = TensorScope.Open();
            var start = Stopwatch.GetTimestamp();
            Tensor y;
            using (precision.Enter(Device.Cpu)) y = Normed(1, Normed(0, x, null), x);
            y.Mean().Backward();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Tensor Normed(int i, Tensor from, Tensor? residual) => Functional.BatchNormRelu(
            Functional.Conv2d(from, weights[i], null, 1, 1, 1, 1), scales[i], shifts[i], mean, variance, residual, relu: true, 0.1, 1e-5);

        static Tensor Weight(params long[] shape)
        {
            var weight = Tensor.Full(shape, 0.1);
            weight.RequiresGrad = true;
            return weight;
        }
    }
}
