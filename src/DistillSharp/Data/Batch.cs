using DistillSharp.Torch;

namespace DistillSharp.Data;

/// <summary>
/// Some images ready for a network. It belongs to the loader: its tensors are valid until the next batch is asked for, or the
/// loop over the epoch is left; copy what must live longer.
/// </summary>
public sealed class Batch
{
    readonly int[] variants;

    Batch(Tensor images, Tensor labels, Tensor indices)
    {
        variants = new int[labels.Count];
        (Images, Labels, Indices) = (images, labels, indices);
    }

    internal Batch(int count, ImageSet set) : this(
        Tensor.Empty([count, set.Channels, set.Height, set.Width], DType.Float32, format: MemoryFormat.ChannelsLast).Unscoped(),
        Tensor.Empty([count], DType.Int64).Unscoped(),
        Tensor.Empty([count], DType.Int64).Unscoped())
    { }

    /// <summary>A batch of images that come from no set. The tensors stay the caller's; outcomes of an augmentation are not counted.</summary>
    /// <param name="images">float32 [N, C, H, W], normalized.</param>
    /// <param name="labels">int64 [N].</param>
    public static Batch Of(Tensor images, Tensor labels)
    {
        var batch = new Batch(images.Contiguous(MemoryFormat.ChannelsLast), labels, Tensor.Range(0, labels.Count));
        Array.Fill(batch.variants, -1);
        return batch;
    }

    /// <summary>The normalized images: float32 [N, C, H, W], channels last.</summary>
    public Tensor Images { get; }

    /// <summary>The class of each image: int64 [N].</summary>
    public Tensor Labels { get; }

    /// <summary>The position of each image in its set: int64 [N].</summary>
    public Tensor Indices { get; }

    /// <summary>
    /// Which of the augmentation's outcomes each image shows, [N]; see <see cref="Augmentation.Variant"/>. Together with
    /// <see cref="Indices"/> it decides the image to the last bit. -1 where outcomes cannot be counted.
    /// </summary>
    public ReadOnlySpan<int> Variants => variants;

    /// <summary>Number of images, N.</summary>
    public int Count => variants.Length;

    /// <summary>The epoch it belongs to.</summary>
    public int Epoch { get; private set; }

    /// <summary>Its place within the epoch, from 0.</summary>
    public int Number { get; private set; }

    internal void Fill(int epoch, int number, ReadOnlyMemory<int> indices, ImageSet set, Normalization normalization, BatchOptions options)
    {
        (Epoch, Number) = (epoch, number);
        var labels = Labels.Memory<long>();
        var positions = Indices.Memory<long>();
        for (var i = 0; i < Count; i++)
        {
            var index = indices.Span[i];
            labels[i] = set.Labels[index];
            positions[i] = index;
            variants[i] = options.Augmentation.Variant(options.Seed, epoch, index);
        }

        var (threads, next) = (Math.Min(options.Threads, Count), -1);
        if (threads == 1) FillImages();
        else Parallel.For(0, threads, _ => FillImages());

        // Each thread takes the next image that none has taken: some photographs take far longer than others.
        void FillImages()
        {
            var images = Images.Memory<float>();
            var size = images.Length / Count;
            var moved = new byte[size];
            for (var i = Interlocked.Increment(ref next); i < Count; i = Interlocked.Increment(ref next))
            {
                options.Augmentation.Apply(set, options.Seed, epoch, indices.Span[i], moved);
                normalization.Apply(moved, images.Slice(i * size, size));
            }
        }
    }

    internal void Free()
    {
        Images.Dispose();
        Labels.Dispose();
        Indices.Dispose();
    }
}
