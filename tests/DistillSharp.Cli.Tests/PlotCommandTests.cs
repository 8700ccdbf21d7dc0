using System.Buffers.Binary;
using DistillSharp.Tests.Experiments.Plots;

namespace DistillSharp.Cli.Tests;

public sealed class PlotCommandTests : IDisposable
{
    readonly SampleRuns samples = new();

    public void Dispose() => samples.Dispose();

    static (int Code, string Out, string Error) Run(params string[] arguments)
    {
        var session = new Session();
        return (session.Run(CommandList.All(), arguments), session.Out, session.Error);
    }

    [Theory]
    [InlineData("acc1")]
    [InlineData("images_per_second")]
    public void Curves_are_drawn_of_every_metric_that_the_help_names(string metric)
    {
        var run = Path.Combine(samples.Root, samples.Add(SampleRuns.Distilled("ce", 1), 30, 40.5));
        var (code, output, error) = Run("plot", "curves", run, "--metric", metric, "--out", samples.At("curves.svg"));
        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"curves\.svg: \d+x\d+\n$", output);
        Assert.Contains(metric == "acc1" ? "test Acc1 (%)" : "training images per second", File.ReadAllText(samples.At("curves.svg")));
    }

    [ConverterFact]
    public void The_size_that_is_printed_is_the_files()
    {
        var run = Path.Combine(samples.Root, samples.Add(SampleRuns.Distilled("ce", 1), 30, 40.5));
        var output = Run("plot", "curves", run, "--out", samples.At("curves.png")).Out;
        var png = File.ReadAllBytes(samples.At("curves.png"));
        Assert.EndsWith(
            $"curves.png: {BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16))}x{BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20))}\n",
            output);
    }

    [Fact]
    public void A_map_of_few_images_lowers_its_perplexity_and_says_so()
    {
        File.WriteAllText(samples.At("recipe.yaml"), $$"""
            data: { set: cifar100, root: '{{samples.Images(16, 30)}}', batch: 8 }
            student: { network: resnet8 }
            train: { epochs: 1, precision: fp32 }
            """);
        var (code, output, error) = Run("train", samples.At("recipe.yaml"), "--runs", samples.Root, "--name", "small");
        Assert.True(code == 0, error);
        Assert.Matches(@"^resnet8: Acc1 \d+\.\d\d %, Acc5 \d+\.\d\d % after 1 epoch; the run is ", output);
        Assert.Contains("for 1 epoch of 2 steps, batch 8, fp32", error);
        (code, output, error) =
            Run("plot", "tsne", Path.Combine(samples.Root, "small"), "--iterations", "50", "--out", samples.At("tsne.svg"));
        Assert.True(code == 0, error);
        Assert.Contains("30 images: the perplexity is 9.67 instead of 30", error);
        Assert.Matches(@"tsne\.svg: \d+x\d+\n$", output);
    }
}
