using DistillSharp.Torch.Distributed;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Torch.Tests.Distributed;

/// <summary>A batch norm that processes share against one process that has all rows.</summary>
[Collection(nameof(LifetimeTests))]
public sealed class SharedBatchNormTests
{
    const int Channels = 24;

    [Theory]
    [InlineData(MemoryFormat.ChannelsLast, true, true)]
    [InlineData(MemoryFormat.ChannelsLast, false, false)]
    [InlineData(MemoryFormat.Contiguous, true, true)]
    [InlineData(MemoryFormat.Contiguous, false, false)]
    public void Outputs_gradients_and_statistics_are_those_of_the_whole_batch(MemoryFormat format, bool residual, bool relu)
    {
        using var scope = TensorScope.Open();
        Runtime.Seed(7);
        // Shares of 3 and 2 images, and means far from 0.
        var (x, added, gradient) = (Draw() * 2 + 5.0, Draw(), Draw());
        var whole = Run(null, x, residual ? added : null, gradient, format, relu);

        var parts = new Dictionary<string, Tensor>[2];
        Ranks.Run(2, group =>
        {
            var (first, count) = group.Rank == 0 ? (0, 3) : (3, 2);
            Tensor Share(Tensor all) => all.Detach().Narrow(0, first, count);
            var mine = Run(group, Share(x), residual ? Share(added) : null, Share(gradient), format, relu);
            parts[group.Rank] = mine.ToDictionary(entry => entry.Key, entry => entry.Value.Detach().Clone().Unscoped());
        });
        foreach (var name in new[] { "y", "x", "residual" }.Where(whole.ContainsKey))
            Near(name, whole[name], Tensor.Cat([.. parts.Select(part => part[name])]));
        foreach (var name in new[] { "weight", "bias" })
            Near(name, whole[name], parts[0][name] + parts[1][name]);
        foreach (var name in new[] { "running_mean", "running_var" })
        {
            Near(name, whole[name], parts[0][name]);
            Assert.Equal(parts[0][name].ToArray<float>(), parts[1][name].ToArray<float>());
        }
        foreach (var tensor in parts.SelectMany(part => part.Values)) tensor.Dispose();
    }

    static Tensor Draw() => Tensor.Randn([5, Channels, 4, 3]);

    static void Near(string name, Tensor expected, Tensor actual) =>
        Agreement.Near(name, Agreement.Values(expected), Agreement.Values(actual), 1e-5);

    static Dictionary<string, Tensor> Run(ProcessGroup? group, Tensor x, Tensor? residual, Tensor gradient, MemoryFormat format, bool relu)
    {
        using var norm = new BatchNorm2d(Channels) { SharedBy = group };
        using (Autograd.NoGrad())
        {
            norm.Weight.CopyFrom(Tensor.Range(1, Channels + 1).To(DType.Float32) / 10);
            norm.Bias.CopyFrom(Tensor.Range(0, Channels).To(DType.Float32) / 20);
        }
        Tensor Leaf(Tensor tensor)
        {
            var leaf = tensor.Detach().Clone().Contiguous(format);
            leaf.RequiresGrad = true;
            return leaf;
        }
        var (input, added) = (Leaf(x), residual is null ? null : Leaf(residual));
        var y = relu ? norm.ForwardRelu(input, added) : norm.Forward(input);
        y.Backward(gradient.Contiguous(format));
        var found = new Dictionary<string, Tensor>
        {
            ["y"] = y, ["x"] = input.Grad!, ["weight"] = norm.Weight.Grad!, ["bias"] = norm.Bias.Grad!,
            ["running_mean"] = norm.RunningMean.Clone(), ["running_var"] = norm.RunningVar.Clone(),
        };
        if (added is not null) found["residual"] = added.Grad!;
        return found;
    }
}
