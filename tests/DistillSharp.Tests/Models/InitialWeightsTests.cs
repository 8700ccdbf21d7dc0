using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Tests.Models;

/// <summary>
/// Fresh weights are distributed as each family's public implementation draws them. Bounds are six standard errors: a right
/// implementation fails once in 10^8.
/// </summary>
public class InitialWeightsTests
{
    const double StandardErrors = 6;

    public enum Rule
    {
        /// <summary>Normal, deviation sqrt(2 / (outputs * area)).</summary>
        HeFanOut,

        /// <summary>Normal, deviation 0.01.</summary>
        Small,

        /// <summary>Uniform within 1 / sqrt(inputs * area): PyTorch's default.</summary>
        Default,

        /// <summary>All zero.</summary>
        Zero,

        /// <summary>Normal, deviation sqrt(2 / (inputs * area)).</summary>
        HeFanIn,

        /// <summary>Normal, deviation 0.02.</summary>
        Narrow,

        /// <summary>Uniform within 1 / sqrt(outputs).</summary>
        ByOutputs,
    }

    [Theory]
    [InlineData("resnet20", Rule.HeFanOut, Rule.Default, Rule.Default)]
    [InlineData("resnet18", Rule.HeFanOut, Rule.Default, Rule.Default)]
    [InlineData("resnet18_cifar", Rule.HeFanOut, Rule.Default, Rule.Default)]
    [InlineData("wrn_16_2", Rule.HeFanOut, Rule.Default, Rule.Zero)]
    [InlineData("vgg8", Rule.HeFanOut, Rule.Small, Rule.Zero)]
    [InlineData("mobilenet_v2_half", Rule.HeFanOut, Rule.Small, Rule.Zero)]
    [InlineData("mobilenet_v1", Rule.Default, Rule.Default, Rule.Default)]
    [InlineData("shufflenet_v1", Rule.Default, Rule.Default, Rule.Default)]
    [InlineData("shufflenet_v2", Rule.Default, Rule.Default, Rule.Default)]
    [InlineData("mobilenet_v2", Rule.HeFanOut, Rule.Small, Rule.Zero)]
    [InlineData("mobilenet_v3_small", Rule.HeFanOut, Rule.Small, Rule.Zero)]
    [InlineData("efficientnet_b0", Rule.HeFanOut, Rule.ByOutputs, Rule.Zero)]
    [InlineData("densenet121", Rule.HeFanIn, Rule.Default, Rule.Zero)]
    [InlineData("convnext_atto", Rule.Narrow, Rule.Narrow, Rule.Zero)]
    public void Weights_are_drawn_by_the_familys_rule(string name, Rule convolutions, Rule classifier, Rule classifierBias)
    {
        using var network = Networks.Create(name, 100);
        foreach (var (path, module) in network.NamedModules())
        {
            switch (module)
            {
                case Conv2d convolution:
                    AssertDrawn(path, convolution.Weight, convolution.Weight, convolutions);
                    if (convolution.Bias is { } bias) AssertDrawn($"{path}.bias", bias, convolution.Weight, Rule.Zero);
                    break;
                case Linear linear:
                    AssertDrawn(path, linear.Weight, linear.Weight, classifier);
                    AssertDrawn($"{path}.bias", linear.Bias!, linear.Weight, classifierBias);
                    break;
                case BatchNorm2d norm:
                    Assert.All(norm.Weight.ToArray<float>(), value => Assert.Equal(1, value));
                    Assert.All(norm.Bias.ToArray<float>(), value => Assert.Equal(0, value));
                    Assert.All(norm.RunningMean.ToArray<float>(), value => Assert.Equal(0, value));
                    Assert.All(norm.RunningVar.ToArray<float>(), value => Assert.Equal(1, value));
                    break;
            }
        }
    }

    static void AssertDrawn(string path, Tensor tensor, Tensor weight, Rule rule)
    {
        var area = weight.Shape.Skip(2).Aggregate(1L, (product, size) => product * size);
        var values = tensor.ToArray<double>();
        var bound = 1 / Math.Sqrt(weight.Size(1) * area);
        switch (rule)
        {
            case Rule.Zero: Assert.All(values, value => Assert.Equal(0, value)); break;
            case Rule.Small: AssertMoments(path, values, deviation: 0.01, kurtosis: 3); break;
            case Rule.HeFanOut: AssertMoments(path, values, Math.Sqrt(2.0 / (weight.Size(0) * area)), kurtosis: 3); break;
            case Rule.HeFanIn: AssertMoments(path, values, Math.Sqrt(2.0 / (weight.Size(1) * area)), kurtosis: 3); break;
            case Rule.Narrow: AssertMoments(path, values, deviation: 0.02, kurtosis: 3); break;
            case Rule.ByOutputs: AssertMoments(path, values, Math.Sqrt(1.0 / (3 * weight.Size(0))), kurtosis: 1.8); break;
            case Rule.Default:
                Assert.All(values, value => Assert.InRange(Math.Abs(value), 0, bound * (1 + 1e-6)));
                AssertMoments(path, values, bound / Math.Sqrt(3), kurtosis: 1.8);
                break;
        }
    }

    // The variance of a sample variance is (kurtosis - 1) / n of the variance squared. The kurtosis tells normal from uniform.
    static void AssertMoments(string path, double[] values, double deviation, double kurtosis)
    {
        double n = values.Length;
        var mean = values.Average() / deviation;
        var second = values.Average(value => Math.Pow(value / deviation, 2));
        Assert.True(Math.Abs(mean) <= StandardErrors / Math.Sqrt(n), $"{path}: mean {mean} deviations");
        Assert.True(
            Math.Abs(second - 1) <= StandardErrors * Math.Sqrt((kurtosis - 1) / n), $"{path}: variance {second} of what it should be");
        if (n < 5000) return;
        var fourth = values.Average(value => Math.Pow(value / deviation, 4));
        Assert.InRange(fourth, kurtosis - 0.6, kurtosis + 0.6);
    }
}
