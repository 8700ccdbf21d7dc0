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

    /// <summary>What every file asks of the tensors that it is to hold.</summary>
    /// <exception cref="ArgumentException">Two tensors have one name, or a tensor's bytes do not fit its shape.</exception>
    internal static void CheckWritable(IReadOnlyList<StoredTensor> tensors, params IEnumerable<string> taken)
    {
        var names = taken.ToHashSet();
        foreach (var tensor in tensors)
        {
            if (!names.Add(tensor.Name)) throw new ArgumentException($"the name '{tensor.Name}' is taken", nameof(tensors));
            if (TensorShape.Bytes(tensor.Shape, tensor.Type) != tensor.Data.Length)
                throw new ArgumentException($"the tensor '{tensor.Name}' of {tensor.Type} [{string.Join(", ", tensor.Shape)}] has "
                    + $"{tensor.Data.Length} bytes", nameof(tensors));
        }
    }
}
