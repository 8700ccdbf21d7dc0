namespace DistillSharp.Torch.Tests;

public sealed class FakeQuantizeTests : IDisposable
{
    readonly TensorScope scope = TensorScope.Open();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Values_become_multiples_of_the_scale_and_gradients_pass_where_nothing_is_clamped()
    {
        var x = Tensor.From(new[] { -1f, -.3f, 0, .125f, .13f, .375f, 63.7f, 70f });
        x.RequiresGrad = true;
        var y = Functional.FakeQuantize(x, .25, 2, 0, 255);
        // Ties go to the even number.
        Assert.Equal([-.5f, -.25f, 0, 0, .25f, .5f, 63.25f, 63.25f], y.ToArray<float>());
        (y * Tensor.From(new[] { 1f, 2, 3, 4, 5, 6, 7, 8 })).Sum().Backward();
        Assert.Equal([0f, 2, 3, 4, 5, 6, 0, 0], x.Grad!.ToArray<float>());
    }

    [Fact]
    public void Each_channel_has_its_scale()
    {
        var x = Tensor.From(new[] { .9f, -3.2f, .9f, -3.2f }).Reshape(2, 2, 1, 1);
        x.RequiresGrad = true;
        var y = Functional.FakeQuantize(x, Tensor.From(new[] { 1f, .5f }), 0, -2, 2);
        Assert.Equal([1f, -2, 1, -1], y.ToArray<float>());
        y.Sum().Backward();
        Assert.Equal([1f, 0, 1, 0], x.Grad!.ToArray<float>());
    }

    [Fact]
    public void Calls_are_replaced_in_the_order_of_a_recording()
    {
        var x = Tensor.From(new[] { -1f, 2 });
        Tensor Run() => Functional.Relu(x) * 3 + x;
        string[] recorded;
        using (var trace = OperatorTrace.Record())
        {
            Run();
            recorded = [.. trace.Calls.Select(call => call.Operator)];
        }
        var seen = new List<string>();
        Tensor replaced;
        using (OperatorTrace.Replace((index, op, arguments) =>
        {
            Assert.Equal(seen.Count, index);
            seen.Add(op.Name);
            // What is called here is not replaced.
            return index == 0 ? arguments[0].Tensor!.Abs() * 10 : op.Call(arguments);
        }))
            replaced = Run();
        Assert.Equal(recorded, seen);
        Assert.Equal([29f, 62], replaced.ToArray<float>());
        Assert.Equal([-1f, 8], Run().ToArray<float>());
    }
}
