namespace DistillSharp.Onnx.Teachers;

/// <summary>How a graph takes images.</summary>
/// <param name="Batch">How many at a time; null for any number.</param>
/// <param name="Size">Their height and width; null for any.</param>
/// <param name="ChannelsLast">Whether they are [N, H, W, 3].</param>
sealed record OnnxImages(long? Batch, Size2? Size, bool ChannelsLast)
{
    /// <exception cref="UserException">The graph takes something else, or more than images.</exception>
    public static OnnxImages Of(OnnxGraphFile graph)
    {
        if (graph.Inputs is not [{ Type: "float", Shape.Count: 4 } images])
            throw new UserException($"{graph.Path}: takes {string.Join(" and ", graph.Inputs)}; a teacher takes images alone, float [N, 3, "
                + "H, W] or [N, H, W, 3]");
        var shape = images.Shape;
        var last = shape[1] is not (3 or null) && shape[3] == 3;
        if (!last && shape[1] is not (3 or null))
            throw new UserException($"{graph.Path}: takes images of {shape[1]} channels; a teacher's have 3");
        var (height, width) = last ? (shape[1], shape[2]) : (shape[2], shape[3]);
        return new(shape[0], height is { } h && width is { } w ? new(h, w) : null, last);
    }

    /// <summary>Black images, one or as many as a fixed batch has.</summary>
    /// <param name="size">Their size where the graph takes any.</param>
    public Tensor Black(Size2 size)
    {
        var (height, width) = (Size?.Height ?? size.Height, Size?.Width ?? size.Width);
        return Tensor.Zeros(ChannelsLast ? [Batch ?? 1, height, width, 3] : [Batch ?? 1, 3, height, width]);
    }
}
