using System.Diagnostics;
using DistillSharp.Models;

namespace DistillSharp.Training;

/// <summary>
/// How long libtorch's own convolutions (oneDNN's, on a GPU cuDNN's) take for a training step when nothing else is done: each is
/// timed by itself, in the type and order in memory that training uses. What trains on these kernels cannot be faster; kernels of
/// this project may be.
/// </summary>
/// <param name="BatchSize">Images of the step.</param>
/// <param name="StudentSeconds">The student's, forward and both backward passes.</param>
/// <param name="TeacherSeconds">The teacher's, forward; 0 without a teacher.</param>
public sealed record ConvolutionLimit(int BatchSize, double StudentSeconds, double TeacherSeconds)
{
    /// <summary>Multiply-adds of the student's convolutions, forward and both backward passes.</summary>
    public double StudentMultiplyAdds { get; init; }

    /// <summary>Multiply-adds of the teacher's convolutions, forward.</summary>
    public double TeacherMultiplyAdds { get; init; }

    /// <summary>Multiply-adds of float32 that the processor does in a second at its best; 0 where a GPU computes.</summary>
    public double PeakMultiplyAdds { get; init; }

    const int MinRuns = 3, MaxRuns = 20;
    static readonly TimeSpan enough = TimeSpan.FromMilliseconds(100);
    static readonly Operator conv2d = new("aten::conv2d"), convolutionBackward = new("aten::convolution_backward");

    /// <summary>Measures two networks' convolutions. Takes seconds.</summary>
    /// <param name="student">The student.</param>
    /// <param name="image">Height and width of its images.</param>
    /// <param name="teacher">The teacher, or null.</param>
    /// <param name="teachers">Height and width of the teacher's images.</param>
    /// <param name="batchSize">Images of a step.</param>
    /// <param name="precision">What the run's precision was resolved to.</param>
    /// <param name="device">Where to compute.</param>
    public static ConvolutionLimit Measure(
        Classifier student, Size2 image, Classifier? teacher, Size2 teachers, int batchSize, Precision precision, Device device)
    {
        var type = precision == Precision.Bf16 ? DType.BFloat16 : DType.Float32;
        var ofStudent = Convolution.Of(student, image, device);
        var ofTeacher = teacher is null ? [] : Convolution.Of(teacher, teachers, device);
        return new(batchSize,
            ofStudent.Sum(entry => entry.Count * entry.Convolution.Seconds(batchSize, type, device, training: true)),
            ofTeacher.Sum(entry => entry.Count * entry.Convolution.Seconds(batchSize, type, device, training: false)))
        {
            StudentMultiplyAdds = ofStudent.Sum(entry => entry.Count * entry.Convolution.MultiplyAdds(batchSize, training: true)),
            TeacherMultiplyAdds = ofTeacher.Sum(entry => entry.Count * entry.Convolution.MultiplyAdds(batchSize, training: false)),
            PeakMultiplyAdds = device.Type == DeviceType.Cpu ? Runtime.MeasurePeak() : 0,
        };
    }

    /// <summary>What decides how long a convolution takes. The gradient of what the first sees, the images, nobody needs.</summary>
    internal sealed record Convolution(
        long Inputs, Size2 Image, long Outputs, Size2 Kernel, Size2 Stride, Size2 Padding, long Groups, bool IsFirst)
    {
        static readonly long[] noDilation = [1, 1];

        /// <summary>A network's convolutions, and how often each occurs, found by running it once.</summary>
        public static IReadOnlyList<(Convolution Convolution, int Count)> Of(Classifier network, Size2 image, Device device)
        {
            using var evaluating = new Evaluating(network);
            using var scope = TensorScope.Open();
            var images = Tensor.Zeros([1, 3, image.Height, image.Width], device: device);
            using var trace = OperatorTrace.Record();
            network.Forward(images);
            return [.. trace.Calls.Where(call => call.Operator == "aten::conv2d").Select(call =>
            {
                var (x, weight, groups) = (call.Arguments[0].Tensor!, call.Arguments[1].Tensor!.Shape, call.Arguments[6].Integer);
                return new Convolution(weight[1] * groups, new(x.Size(2), x.Size(3)), weight[0], new(weight[2], weight[3]),
                    Pair(call.Arguments[3]), Pair(call.Arguments[4]), groups, ReferenceEquals(x, images));
            }).CountBy(found => found).Select(pair => (pair.Key, pair.Value))];
        }

        static Size2 Pair(Argument argument) => new(argument.Integers![0], argument.Integers[1]);

        /// <summary>Forward and, in training, the gradients of the weight and of what came in.</summary>
        public double MultiplyAdds(int batchSize, bool training)
        {
            long Out(long size, long kernel, long stride, long padding) => (size + 2 * padding - kernel) / stride + 1;
            var (rows, columns) = (Out(Image.Height, Kernel.Height, Stride.Height, Padding.Height),
                Out(Image.Width, Kernel.Width, Stride.Width, Padding.Width));
            var passes = !training ? 1 : IsFirst ? 2 : 3;
            return (double)batchSize * (rows * columns) * Outputs * (Inputs / Groups) * Kernel.Height * Kernel.Width * passes;
        }

        /// <summary>The fastest of several runs: forward and, in training, the gradients of the weight and of what came in.</summary>
        public double Seconds(int batchSize, DType type, Device device, bool training)
        {
            using var off = Autograd.NoGrad();
            using var scope = TensorScope.Open();
            var x = Filled(batchSize, Inputs, Image.Height, Image.Width);
            var weight = Filled(Outputs, Inputs / Groups, Kernel.Height, Kernel.Width);
            var gradient = Forward();
            var forward = Fastest(() => Forward(), device);
            return !training ? forward : forward + Fastest(() => convolutionBackward.CallList(3, gradient, x, weight, Argument.None,
                Stride, Padding, noDilation, false, new Size2(0, 0), Groups, Argument.Bools(!IsFirst, true, false)), device);

            Tensor Forward() => conv2d.Call(x, weight, Argument.None, Stride, Padding, noDilation, Groups);

            Tensor Filled(params long[] shape) => Tensor.Full(shape, 0.5, type, device).Contiguous(MemoryFormat.ChannelsLast);
        }

        static double Fastest(Action run, Device device)
        {
            var fastest = double.MaxValue;
            var whole = Stopwatch.StartNew();
            for (var i = 0; i < MinRuns || (i < MaxRuns && whole.Elapsed < enough); i++)
            {
                using var scope = TensorScope.Open();
                var clock = Stopwatch.StartNew();
                run();
                Runtime.Synchronize(device);
                fastest = Math.Min(fastest, clock.Elapsed.TotalSeconds);
            }
            return fastest;
        }
    }
}
