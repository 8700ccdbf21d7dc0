namespace DistillSharp.Torch;

/// <summary>libtorch refused an operation: shapes, types or devices that do not fit, or an operator that does not exist.</summary>
public sealed class TorchException : Exception
{
    internal TorchException(string? operation, string message)
        : base(operation is null ? message : $"{operation}: {message}") => Operation = operation;

    /// <summary>The operator that failed, for example <c>aten::matmul</c>; null where no operator was involved.</summary>
    public string? Operation { get; }
}
