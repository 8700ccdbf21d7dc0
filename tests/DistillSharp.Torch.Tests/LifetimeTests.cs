namespace DistillSharp.Torch.Tests;

/// <summary>These count live handles, so nothing else of this assembly may run beside them.</summary>
[CollectionDefinition(nameof(LifetimeTests), DisableParallelization = true)]
public class LifetimeCollection;

[Collection(nameof(LifetimeTests))]
public class LifetimeTests
{
    [Fact]
    public void A_scope_frees_what_was_not_kept()
    {
        var before = LiveTensors.Count;
        Tensor kept;
        using (var scope = TensorScope.Open())
        {
            var x = Tensor.Ones([8]);
            kept = scope.Keep(x * 2 + 1.0);
            Assert.Equal(before + 3, LiveTensors.Count);
        }
        Assert.Equal(before + 1, LiveTensors.Count);
        Assert.Equal(24, kept.Sum().Item());
        kept.Dispose();
    }

    [Fact]
    public void Kept_tensors_pass_to_the_enclosing_scope()
    {
        var before = LiveTensors.Count;
        using (TensorScope.Open())
        {
            using (var inner = TensorScope.Open()) inner.Keep(Tensor.Ones([8]));
            Assert.Equal(before + 1, LiveTensors.Count);
        }
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Scopes_close_in_order()
    {
        var outer = TensorScope.Open();
        var inner = TensorScope.Open();
        Assert.Throws<InvalidOperationException>(outer.Dispose);
        inner.Dispose();
        outer.Dispose();
    }

    [Fact]
    public void The_collector_frees_what_nobody_disposed()
    {
        var before = LiveTensors.Count;
        Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.True(LiveTensors.Count <= before, $"{LiveTensors.Count - before} tensors were not freed");

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget()
        {
            for (var i = 0; i < 10; i++) Tensor.Ones([4]);
        }
    }

    [Fact]
    public void A_recorded_leak_shows_where_it_was_made()
    {
        using var watch = LiveTensors.Record();
        var leak = Tensor.Ones([4]);
        using (TensorScope.Open()) Tensor.Ones([4]);
        Assert.Contains(nameof(A_recorded_leak_shows_where_it_was_made), Assert.Single(watch.Alive));
        leak.Dispose();
        Assert.Empty(watch.Alive);
    }
}
