using DistillSharp.Torch.Distributed;

namespace DistillSharp.Torch.Tests.Distributed;

[Collection(nameof(LifetimeTests))]
public sealed class GradientReducerTests
{
    [Theory]
    [InlineData(1L << 20, 1)]
    [InlineData(32L, 4)]
    public void Gradients_are_summed_and_buckets_leave_before_the_pass_has_ended(long bucketBytes, int early) => Ranks.Run(2, group =>
    {
        // Four layers of one row each: y = x * a * b * c * d, element by element.
        var layers = Enumerable.Range(1, 4).Select(i => Parameter(i, 8)).ToArray();
        using var reducer = new GradientReducer(group, layers, bucketBytes: bucketBytes);
        for (var pass = 0; pass < 2; pass++)
        {
            Autograd.ClearGradients(layers);
            reducer.Begin();
            Loss(layers, group.Rank + 1).Backward();
            Assert.Equal(early, reducer.SentEarly);
            reducer.End();
            // d loss / d a = x b c d, of both ranks: (1 + 2) * 24 / value.
            for (var i = 0; i < 4; i++) Assert.Equal(Enumerable.Repeat(3 * 24f / (i + 1), 8), layers[i].Grad!.ToArray<float>());
        }
    });

    [Fact]
    public void Gradients_that_are_added_up_first_are_summed_once() => Ranks.Run(2, group =>
    {
        var layers = Enumerable.Range(1, 2).Select(i => Parameter(i, 4)).ToArray();
        using var reducer = new GradientReducer(group, layers);
        Loss(layers, 1).Backward();
        Assert.Equal([2f, 2, 2, 2], layers[0].Grad!.ToArray<float>());
        reducer.Begin();
        Loss(layers, 10).Backward();
        reducer.End();
        Assert.Equal([44f, 44, 44, 44], layers[0].Grad!.ToArray<float>());
    });

    [Fact]
    public void A_factor_scales_the_sum_and_what_has_no_gradient_keeps_none() => Ranks.Run(2, group =>
    {
        Tensor[] parameters = [Parameter(3, 4), Parameter(1, 4), Parameter(2, 4)];
        using var reducer = new GradientReducer(group, parameters, [0.5, 1, 1]);
        reducer.Begin();
        Loss([parameters[0], parameters[2]], 1).Backward();
        reducer.End();
        Assert.Equal([2f, 2, 2, 2], parameters[0].Grad!.ToArray<float>());
        Assert.Null(parameters[1].Grad);
        Assert.Equal([6f, 6, 6, 6], parameters[2].Grad!.ToArray<float>());
    });

    [Fact]
    public void Weights_in_any_order_of_memory_get_their_own_sums() => Ranks.Run(2, group =>
    {
        var weight = Tensor.Range(0, 24).To(DType.Float32).Reshape(2, 3, 2, 2).Contiguous(MemoryFormat.ChannelsLast);
        weight.RequiresGrad = true;
        using var reducer = new GradientReducer(group, [weight]);
        reducer.Begin();
        (weight.Pow(2) * (group.Rank + 1)).Sum().Backward();
        reducer.End();
        Assert.Equal(Enumerable.Range(0, 24).Select(i => 6f * i), weight.Grad!.Contiguous().ToArray<float>());
    });

    [Fact]
    public void A_pass_in_which_another_process_ends_says_so()
    {
        var error = Assert.Throws<AggregateException>(() => Ranks.Run(2, group =>
        {
            Tensor[] layers = [Parameter(1, 4)];
            using var reducer = new GradientReducer(group, layers);
            group.Barrier();
            if (group.Rank == 1)
            {
                group.Dispose();
                throw new InvalidOperationException("this rank ends");
            }
            reducer.Begin();
            Loss(layers, 1).Backward();
            reducer.End();
        }));
        Assert.StartsWith("summing gradients: ", Assert.Single(error.InnerExceptions.OfType<ProcessGroupException>()).Message);
    }

    static Tensor Parameter(double value, long length)
    {
        var parameter = Tensor.Full([length], value);
        parameter.RequiresGrad = true;
        return parameter;
    }

    static Tensor Loss(Tensor[] layers, double input) =>
        layers.Aggregate(Tensor.Full([layers[0].Count], input), (x, layer) => x * layer).Sum();
}
