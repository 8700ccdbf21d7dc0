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

    [Theory]
    [InlineData(DType.Float32, -1.5)]
    [InlineData(DType.Float64, 0.1)]
    [InlineData(DType.BFloat16, -1.5)]
    [InlineData(DType.Float16, -1.5)]
    [InlineData(DType.Int64, -3)]
    [InlineData(DType.Int32, -3)]
    [InlineData(DType.UInt8, 200)]
    [InlineData(DType.Bool, 1)]
    public void One_element_comes_out_of_any_type_and_from_the_middle_of_others(DType type, double value)
    {
        using var scope = TensorScope.Open();
        var alone = Tensor.Full([], value, type);
        var among = Tensor.Cat([Tensor.Zeros([3], type), alone.Reshape(1), Tensor.Zeros([3], type)]);
        Assert.Equal(value, alone.Item());
        Assert.Equal(value, among.Select(0, 3).Item());
    }

    [Fact]
    public void An_operator_that_makes_only_some_of_its_results_returns_those()
    {
        using var scope = TensorScope.Open();
        var (x, weight) = (Tensor.Ones([1, 2, 4, 4]), Tensor.Ones([3, 2, 3, 3]));
        var made = new Operator("aten::convolution_backward").CallList(
            3, Tensor.Ones([1, 3, 4, 4]), x, weight, Argument.None, new Size2(1, 1), new Size2(1, 1), new Size2(1, 1), false,
                new Size2(0, 0), 1L, Argument.Bools(false, true, false));
        Assert.Equal(weight.Shape, Assert.Single(made).Shape);
        Assert.False(made[0].IsDisposed);
    }

    [Fact]
    public void Every_kind_of_argument_arrives()
    {
        using var scope = TensorScope.Open();
        var x = Tensor.From([0f, 1f, 2f, 3f, 4f, 5f], 2, 3);
        Assert.Equal(
            [0f, 2f, 3f, 5f], new Operator("aten::index.Tensor").Call(x, Argument.Optional(null, Tensor.From([0L, 2L]))).ToArray<float>());
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
        Assert.Equal(
            [0f, 1f], new Operator("aten::div.Tensor_mode").Call(Tensor.From([0.5f, 4f]), Tensor.From([1f, 3f]), "floor").ToArray<float>());
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
        var mixed = Runtime.HasNativeBf16 ? DType.BFloat16 : DType.Float32;
        using (Precision.Bf16.Enter(Device.Cpu))
        {
            Assert.Equal(mixed, x.MatMul(x).DType);
            using (Precision.Fp32.Enter(Device.Cpu)) Assert.Equal(DType.Float32, x.MatMul(x).DType);
            Assert.Equal(mixed, x.MatMul(x).DType);
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
