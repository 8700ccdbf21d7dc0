using System.Diagnostics;
using DistillSharp.Torch.Distributed;

namespace DistillSharp.Torch.Tests.Distributed;

[Collection(nameof(LifetimeTests))]
public sealed class ProcessGroupTests
{
    [Fact]
    public void Sums_broadcasts_and_gathers() => Ranks.Run(3, group =>
    {
        Assert.Equal(3, group.Size);
        var sum = group.Sum(Tensor.From([1.5f + group.Rank, 10f * group.Rank]));
        Assert.Equal([7.5f, 30f], sum.ToArray<float>());
        Assert.Equal([6L], group.Sum(Tensor.From([group.Rank + 1L])).ToArray<long>());

        var told = group.Broadcast(Tensor.From([(double)group.Rank, 5]), from: 2);
        Assert.Equal([2.0, 5], told.ToArray<double>());

        var gathered = group.Gather(Tensor.From([group.Rank, group.Rank + 10L, 0, 0], 2, 2));
        Assert.Equal([3L, 2, 2], gathered.Shape);
        Assert.Equal([0L, 10, 0, 0, 1, 11, 0, 0, 2, 12, 0, 0], gathered.ToArray<long>());
        group.Barrier();
    });

    [Fact]
    public void What_is_gathered_has_no_gradient_and_leaves_the_tensor_as_it_is() => Ranks.Run(2, group =>
    {
        var x = Tensor.Full([2, 3], group.Rank);
        x.RequiresGrad = true;
        var all = group.Gather(x.Transpose());
        Assert.False(all.RequiresGrad);
        Assert.True(x.RequiresGrad);
        Assert.Equal([0f, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], all.ToArray<float>());
    });

    [Fact]
    public void A_rank_that_is_gone_is_noticed_by_the_others()
    {
        var clock = Stopwatch.StartNew();
        var error = Assert.Throws<AggregateException>(() => Ranks.Run(2, group =>
        {
            group.Sum(Tensor.Ones([4]));
            if (group.Rank == 1)
            {
                group.Dispose();
                throw new InvalidOperationException("this rank ends");
            }
            group.Sum(Tensor.Ones([4]));
        }));
        var lost = Assert.Single(error.InnerExceptions.OfType<ProcessGroupException>());
        Assert.False(lost.TimedOut, lost.Message);
        Assert.StartsWith("a sum over the processes: ", lost.Message);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 30);
    }

    [Fact]
    public void A_rank_that_says_nothing_is_given_up_in_time()
    {
        var clock = Stopwatch.StartNew();
        using var ended = new ManualResetEventSlim();
        var error = Assert.Throws<AggregateException>(() => Ranks.Run(2, group =>
        {
            if (group.Rank == 1)
            {
                Assert.True(ended.Wait(TimeSpan.FromSeconds(60)));
                throw new InvalidOperationException("this rank was silent");
            }
            try { group.Sum(Tensor.Ones([4])); }
            finally { ended.Set(); }
        }, timeoutSeconds: 2));
        Assert.True(Assert.Single(error.InnerExceptions.OfType<ProcessGroupException>()).TimedOut);
        Assert.InRange(clock.Elapsed.TotalSeconds, 1.9, 30);
    }

    [Fact]
    public void Who_waits_alone_is_told_so_in_time()
    {
        var clock = Stopwatch.StartNew();
        var lost = Assert.Throws<ProcessGroupException>(() =>
            ProcessGroup.Join(new(0, 2, "127.0.0.1", Ranks.FreePort()) { Timeout = TimeSpan.FromSeconds(2) }));
        Assert.True(lost.TimedOut, lost.Message);
        Assert.InRange(clock.Elapsed.TotalSeconds, 1.5, 30);
    }
}
