using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch.Tests;

/// <summary>Whatever a caller does wrong gives a clear exception: none a crash, none silence.</summary>
public class ErrorTests
{
    [Fact]
    public void Wrong_shapes_name_the_operator_and_both_shapes()
    {
        using var scope = TensorScope.Open();
        var error = Assert.Throws<TorchException>(() => Tensor.Ones([2, 3]).MatMul(Tensor.Ones([4, 5])));
        Assert.Equal("aten::matmul", error.Operation);
        Assert.Contains("2x3", error.Message);
        Assert.Contains("4x5", error.Message);
        Assert.DoesNotContain("Exception raised from", error.Message);
    }

    [Fact]
    public void A_wrong_type_is_refused()
    {
        using var scope = TensorScope.Open();
        var labels = Tensor.Ones([4]);
        var error = Assert.Throws<TorchException>(() => Functional.CrossEntropy(Tensor.Ones([4, 3]), labels));
        Assert.Contains("aten::cross_entropy_loss", error.Message);
        Assert.Contains("Float", error.Message);
    }

    [Fact]
    public void A_device_that_does_not_exist_is_refused()
    {
        using var scope = TensorScope.Open();
        var error = Assert.Throws<TorchException>(() => Tensor.Ones([2]).To(Device.Cuda(63)));
        Assert.Equal("aten::to.device", error.Operation);
    }

    [Fact]
    public void What_a_processor_does_is_not_recorded()
    {
        Assert.False(DeviceGraph.IsSupported(Device.Cpu));
        if (Runtime.CudaDevices > 0) return;
        var done = false;
        Assert.Throws<TorchException>(() => DeviceGraph.Record(Device.Cuda(), () => done = true));
        Assert.False(done);
    }

    [Fact]
    public void A_libtorch_of_another_release_than_the_headers_is_noticed()
    {
        Assert.Equal("2.6", Native.OtherRelease("1.13.1", "Build settings: USE_OPENMP=ON, TORCH_VERSION=2.6.0, USE_CUDA=OFF"));
        Assert.Equal("1.1", Native.OtherRelease("1.13.1", "TORCH_VERSION=1.1.0"));
        Assert.Null(Native.OtherRelease("1.13.1", "Build settings: TORCH_VERSION=1.13.0, USE_CUDA=OFF"));
        Assert.Null(Native.OtherRelease("1.13.1", "says nothing"));
    }

    [Fact]
    public void A_disposed_tensor_says_so()
    {
        var tensor = Tensor.Ones([2]);
        tensor.Dispose();
        tensor.Dispose();
        Assert.True(tensor.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => tensor + tensor);
        Assert.Throws<ObjectDisposedException>(() => tensor.Shape);
        Assert.Equal("Tensor (disposed)", tensor.ToString());
    }

    [Fact]
    public void An_unknown_operator_or_overload_is_named()
    {
        Assert.Contains(
            "no operator aten::does_not_exist", Assert.Throws<TorchException>(() => new Operator("aten::does_not_exist").Call()).Message);
        Assert.Contains(
            "no operator aten::add.Nonsense", Assert.Throws<TorchException>(() => new Operator("aten::add.Nonsense").Call()).Message);
        Assert.Throws<TorchException>(() => new Operator("without a namespace").Call());
    }

    [Fact]
    public void Too_few_too_many_and_wrong_arguments_are_refused()
    {
        using var scope = TensorScope.Open();
        var x = Tensor.Ones([2]);
        var add = new Operator("aten::add.Tensor");
        Assert.Contains("missing", Assert.Throws<TorchException>(() => add.Call(x)).Message);
        Assert.Throws<TorchException>(() => add.Call(x, x, 1.0, x, x));
        Assert.Throws<TorchException>(() => add.Call(x, "text"));
        Assert.Throws<TorchException>(() => add.Call(Argument.None, x));
    }

    [Fact]
    public void An_operator_with_more_results_than_expected_frees_them()
    {
        using var scope = TensorScope.Open();
        var x = Tensor.Ones([2, 3]);
        Assert.Throws<TorchException>(() => new Operator("aten::topk").Call(x, 1L, -1L, true, true));
        Assert.Throws<TorchException>(() => new Operator("aten::relu").Call2(x));
    }

    [Fact]
    public void Backward_without_a_graph_is_refused()
    {
        using var scope = TensorScope.Open();
        Assert.Throws<TorchException>(() => Tensor.Ones([1]).Backward());
        var x = Tensor.Ones([2]);
        x.RequiresGrad = true;
        Assert.Throws<TorchException>(() => (x * 2).Backward());
    }

    [Fact]
    public void Memory_of_the_wrong_type_or_with_gaps_is_refused()
    {
        using var scope = TensorScope.Open();
        Assert.Throws<InvalidOperationException>(() => Tensor.Ones([2]).Memory<double>().Length);
        Assert.Throws<InvalidOperationException>(() => Tensor.Ones([4, 4]).Narrow(1, 0, 2).Memory<float>().Length);
        Assert.Throws<InvalidOperationException>(() => Tensor.Ones([4, 1]).Expand(4, 3).Memory<float>().Length);
        Assert.Throws<ArgumentException>(() => Tensor.From([1f, 2f, 3f], 2, 2));
        Assert.Throws<InvalidOperationException>(() => Tensor.Ones([2]).Item());
    }
}
