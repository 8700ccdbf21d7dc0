namespace DistillSharp.Formats.Tensors;

/// <summary>Between tensors in files and tensors of libtorch.</summary>
public static class StoredTensors
{
    /// <summary>Copies a stored tensor into a new one on the CPU.</summary>
    public static Tensor ToTensor(this StoredTensor stored)
    {
        var tensor = Tensor.Empty([.. stored.Shape], stored.Type);
        stored.Data.Span.CopyTo(tensor.Bytes());
        return tensor;
    }

    /// <summary>Copies a tensor's elements, in row-major order, under a name.</summary>
    public static StoredTensor ToStored(this Tensor tensor, string name)
    {
        using var scope = TensorScope.Open();
        var plain = tensor.Detach().To(Device.Cpu).Contiguous();
        return new(name, plain.DType, plain.Shape, plain.Bytes().ToArray());
    }
}
