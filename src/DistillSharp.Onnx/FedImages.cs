namespace DistillSharp.Onnx;

/// <summary>Some images as a graph takes them.</summary>
/// <param name="Values">[N, 3, H, W], normalized; empty where the graph takes pixels.</param>
/// <param name="Pixels">[N, H, W, 3]; empty where the graph takes normalized images.</param>
/// <param name="Count">N.</param>
/// <param name="Size">H and W.</param>
/// <param name="Labels">The classes of the images; fewer than N where a graph's own batch had to be filled up.</param>
sealed record FedImages(float[] Values, byte[] Pixels, int Count, Size2 Size, int[] Labels);
