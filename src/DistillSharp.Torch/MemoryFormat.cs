namespace DistillSharp.Torch;

/// <summary>The order in memory of a tensor's elements, numbered as libtorch's <c>c10::MemoryFormat</c>.</summary>
public enum MemoryFormat
{
    /// <summary>Row-major: [N, C, H, W] as written.</summary>
    Contiguous = 0,
    /// <summary>As the source tensor.</summary>
    Preserve = 1,
    /// <summary>[N, C, H, W] stored as [N, H, W, C]: what convolutions are fastest with.</summary>
    ChannelsLast = 2,
}
