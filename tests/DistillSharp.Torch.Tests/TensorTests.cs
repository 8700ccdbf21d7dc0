namespace DistillSharp.Torch.Tests;

public class TensorTests
{
    [Fact]
    public void Values_go_in_and_come_out()
    {
        using var scope = TensorScope.Open();
        var x = Tensor.From([1f, 2f, 3f, 4f, 5f, 6f], 2, 3);
        Assert.Equal([2L, 3L], x.Shape);
        Assert.Equal([1f, 4f, 2f, 5f, 3f, 6f], x.Transpose().ToArray<float>());
        Assert.Equal(21, x.Sum().Item());
        Assert.Equal([3.5f, 4.5f, 5.5f], (x.Mean(0) + 1.0).ToArray<float>());
        Assert.Equal([1L, 2L, 3L, 4L, 5L, 6L], x.ToArray<long>());
    }

    [Fact]
    public void Every_kind_of_argument_arrives()
    {
        using var scope = TensorScope.Open();
        var x = Tensor.From([0f, 1f, 2f, 3f, 4f, 5f], 2, 3);
        Assert.Equal([0f, 2f, 3f, 5f], new Operator("aten::index.Tensor").Call(x, Argument.Optional(null, Tensor.From([0L, 2L]))).ToArray<float>());
        Assert.Equal([0f, 1f, 2f], Tensor.Cat([x, x]).Narrow(0, 2, 1).ToArray<float>());
        Assert.Equal(DType.Float64, x.To(DType.Float64).DType);
        Assert.Equal([6L, 3L], Tensor.Stack([x, x, x]).Reshape(6, 3).Shape);
        var halves = x.Chunk(3, 1);
        Assert.Equal(3, halves.Length);
        Assert.Equal([1f, 4f], halves[1].ToArray<float>());
        var (values, indices) = x.TopK(1);
        Assert.Equal([2f, 5f], values.ToArray<float>());
        Assert.Equal([2L, 2L], indices.ToArray<long>());
        Assert.Equal([1f, 1f, 2f, 3f, 3f, 3f], x.Clamp(1, 3).ToArray<float>());
        Assert.Equal([0f, 1f], new Operator("aten::div.Tensor_mode").Call(Tensor.From([0.5f, 4f]), Tensor.From([1f, 3f]), "floor").ToArray<float>());
    }

    [Fact]
    public void Autograd_gives_the_gradient()
    {
        using var scope = TensorScope.Open();
        var x = Tensor.From([1f, 2f, 3f]);
        x.RequiresGrad = true;
        (x * x * x).Sum().Backward();
        Assert.Equal([3f, 12f, 27f], x.Grad!.ToArray<float>());
        Autograd.ClearGradients([x]);
        Assert.Null(x.Grad);
        using (Autograd.NoGrad()) Assert.False((x * 2).RequiresGrad);
        Assert.True((x * 2).RequiresGrad);
        Assert.False(x.Detach().RequiresGrad);
    }

    [Fact]
    public void Grad_mode_belongs_to_its_thread()
    {
        using var off = Autograd.NoGrad();
        var elsewhere = false;
        var thread = new Thread(() => elsewhere = Autograd.Enabled);
        thread.Start();
        thread.Join();
        Assert.True(elsewhere);
        Assert.False(Autograd.Enabled);
    }

    [Fact]
    public void Autocast_computes_products_in_bf16_and_ends()
    {
        using var scope = TensorScope.Open();
        var x = Tensor.Ones([4, 4]);
        using (Precision.Bf16.Enter(Device.Cpu))
        {
            Assert.Equal(DType.BFloat16, x.MatMul(x).DType);
            using (Precision.Fp32.Enter(Device.Cpu)) Assert.Equal(DType.Float32, x.MatMul(x).DType);
            Assert.Equal(DType.BFloat16, x.MatMul(x).DType);
        }
        Assert.Equal(DType.Float32, x.MatMul(x).DType);
        using (Precision.Fp32.Enter(Device.Cpu)) Assert.Equal(DType.Float32, x.MatMul(x).DType);
    }

    [Fact]
    public void The_same_seed_draws_the_same_values()
    {
        using var scope = TensorScope.Open();
        Runtime.Seed(7);
        var first = Tensor.Randn([16]).ToArray<float>();
        Runtime.Seed(7);
        Assert.Equal(first, Tensor.Randn([16]).ToArray<float>());
        Assert.NotEqual(first, Tensor.Randn([16]).ToArray<float>());
    }
}
