using DistillSharp.Methods;

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
        (Images, Labels, Indices, WholeCount) = (images, labels, indices, variants.Length);
    }

    internal Batch(int count, ImageSet set, bool mixed) : this(
        set.Room(count), Tensor.Empty([count], DType.Int64).Unscoped(), Tensor.Empty([count], DType.Int64).Unscoped())
    {
        if (mixed) Mix = new(Tensor.Empty([count], DType.Int64).Unscoped(), Tensor.Empty([count]).Unscoped());
    }

    /// <summary>
    /// A batch of images that come from no set. The tensors stay the caller's; outcomes of an augmentation are not counted.
    /// </summary>
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

    /// <summary>The same images as the teacher takes them; null where it takes <see cref="Images"/>.</summary>
    public Tensor? TeacherImages { get; internal init; }

    /// <summary>
    /// A second view of each image, with draws of its own, in the form of <see cref="Images"/>; null where none is asked for.
    /// </summary>
    public Tensor? SecondImages { get; internal init; }

    /// <summary>The second view as the teacher takes it; null where it takes <see cref="SecondImages"/>.</summary>
    public Tensor? TeacherSecondImages { get; internal init; }

    /// <summary>The class of each image: int64 [N].</summary>
    public Tensor Labels { get; }

    /// <summary>What else is in each image, where an augmentation mixes another one in; else null.</summary>
    public LabelMix? Mix { get; private init; }

    /// <summary>The position of each image in its set: int64 [N].</summary>
    public Tensor Indices { get; }

    /// <summary>
    /// Which of the augmentation's outcomes each image shows, [N]; see <see cref="Augmentation.Variant"/>. Together with
    /// <see cref="Indices"/> it decides the image to the last bit. -1 where outcomes cannot be counted.
    /// </summary>
    public ReadOnlySpan<int> Variants => variants;

    /// <summary>Number of images, N.</summary>
    public int Count => variants.Length;

    /// <summary>Images of the batch over all processes that share it; N where this process has all.</summary>
    public int WholeCount { get; private set; }

    /// <summary>The epoch it belongs to.</summary>
    public int Epoch { get; private set; }

    /// <summary>Its place within the epoch, from 0.</summary>
    public int Number { get; private set; }

    /// <summary>Stretches of the batch, whose tensors are views of its own; the batch itself where it is no longer than one.</summary>
    /// <param name="size">Images of each but the last, which may be smaller.</param>
    internal IEnumerable<Batch> Parts(int size) =>
        size >= Count ? [this]
            : Enumerable.Range(0, (Count + size - 1) / size).Select(k => Part(k * size, Math.Min(size, Count - k * size)));

    Batch Part(int first, int count)
    {
        var part = new Batch(Images.Narrow(0, first, count), Labels.Narrow(0, first, count), Indices.Narrow(0, first, count))
        {
            Mix = Mix is null ? null : new(Mix.Others.Narrow(0, first, count), Mix.Shares.Narrow(0, first, count)),
            TeacherImages = TeacherImages?.Narrow(0, first, count),
            SecondImages = SecondImages?.Narrow(0, first, count),
            TeacherSecondImages = TeacherSecondImages?.Narrow(0, first, count),
            Epoch = Epoch,
            Number = Number,
        };
        variants.AsSpan(first, count).CopyTo(part.variants);
        return part;
    }

    internal void Fill(int epoch, int number, int whole, ReadOnlyMemory<int> indices, ImageSet set, Normalization normalization,
        BatchOptions options, Augmentation? second, TeacherView? teacher)
    {
        (Epoch, Number, WholeCount) = (epoch, number, whole);
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
            var (moved, other) = (new byte[size], Mix is null ? [] : new float[size]);
            for (var i = Interlocked.Increment(ref next); i < Count; i = Interlocked.Increment(ref next))
            {
                Prepare(indices.Span[i], options.Augmentation, moved, images.Slice(i * size, size));
                if (teacher is not null) MakeTeachers(indices.Span[i], options.Augmentation, moved, Of(TeacherImages!, i));
                if (second is not null) PrepareSecond(i, indices.Span[i], moved);
                if (Mix is not null) MixIn(i, indices.Span[i], images.Slice(i * size, size), moved, other);
            }
        }

        void Prepare(int index, Augmentation augmentation, byte[] moved, Span<float> shown)
        {
            augmentation.Apply(set, options.Seed, epoch, index, moved);
            normalization.Apply(moved, shown);
        }

        void PrepareSecond(int place, int index, byte[] moved)
        {
            Prepare(index, second!, moved, Of(SecondImages!, place));
            if (teacher is not null) MakeTeachers(index, second!, moved, Of(TeacherSecondImages!, place));
        }

        Span<float> Of(Tensor images, int place)
        {
            var all = images.Memory<float>();
            return all.Slice(all.Length / Count * place, all.Length / Count);
        }

        void MakeTeachers(int index, Augmentation augmentation, byte[] moved, Span<float> shown) =>
            teacher!.Make(index, epoch, new(moved, set.Height, set.Width, set.Channels), augmentation, options.Seed, shown);

        void MixIn(int place, int index, Span<float> shown, byte[] moved, float[] other)
        {
            var mix = options.Augmentation.Mix(options.Seed, epoch, index, set.Count);
            Mix!.Others.Memory<long>()[place] = set.Labels[mix?.Other ?? index];
            Mix.Shares.Memory<float>()[place] = 1;
            if (mix is not var (step, partner, random)) return;
            Prepare(partner, options.Augmentation, moved, other);
            Mix.Shares.Memory<float>()[place] = (float)step.Mix(shown, other, set.Height, set.Width, random);
            if (teacher is null) return;
            var teachers = new float[TeacherImages!.Count / Count];
            MakeTeachers(partner, options.Augmentation, moved, teachers);
            _ = step.Mix(Of(TeacherImages!, place), teachers, teacher.Height, teacher.Width, random);
        }
    }

    internal void Free()
    {
        Tensor?[] all = [Images, TeacherImages, SecondImages, TeacherSecondImages, Labels, Indices, Mix?.Others, Mix?.Shares];
        foreach (var tensor in all) tensor?.Dispose();
    }
}
