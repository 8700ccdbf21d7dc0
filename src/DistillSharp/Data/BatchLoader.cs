namespace DistillSharp.Data;

/// <summary>
/// Gives the batches of an epoch in order, prepared ahead in the background. Order and content are a pure function of the
/// options and the epoch: neither threads nor a start in the middle change them.
/// </summary>
public sealed class BatchLoader
{
    readonly ImageSet images;
    readonly Normalization normalization;
    readonly BatchOptions options;
    readonly Augmentation? second;
    readonly BatchShares shares;
    readonly TeacherView? teacher;

    /// <param name="images">The images.</param>
    /// <param name="normalization">Of as many channels as the images have.</param>
    /// <param name="options">How to put them together.</param>
    /// <exception cref="UsageException">An option is impossible, or not one batch comes about.</exception>
    public BatchLoader(ImageSet images, Normalization normalization, BatchOptions options)
    {
        options.Validate();
        if (normalization.Channels != images.Channels)
            throw new UsageException($"the normalization has {normalization.Channels} channels, but the images have {images.Channels}");
        (this.images, this.normalization, this.options) = (images, normalization, options);
        second = options.SecondView?.OfSecondView();
        if (options.Teacher is { } input) teacher = new(input, images, normalization);
        shares = new(images.Count, options);
        if (shares.Count == 0)
            throw new UsageException($"{images.Count} images make no batch of {options.BatchSize} for process {options.Rank} of "
                + $"{options.Processes}; make the batch smaller");
    }

    /// <summary>Batches of one epoch.</summary>
    public int BatchCount => shares.Count;

    /// <summary>
    /// The batches of an epoch. A batch is valid until the next one is asked for; leaving the loop, by whatever way, ends the
    /// preparation and frees everything. What goes wrong in the background is thrown here.
    /// </summary>
    /// <param name="epoch">Decides order and augmentation, together with the seed.</param>
    /// <param name="skip">Batches at the start of the epoch to leave out; they are not prepared.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer batches than are to be left out, or the epoch is negative.</exception>
    public IEnumerable<Batch> Epoch(int epoch = 0, int skip = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(skip, BatchCount);
        return Enumerate();

        IEnumerable<Batch> Enumerate()
        {
            using var prepared = new PreparedBatches(this, epoch, skip);
            while (prepared.Next() is { } batch)
            {
                yield return batch;
                prepared.Reuse(batch);
            }
        }
    }

    internal int Ahead => options.Ahead;

    internal int[] Order(int epoch) =>
        options.Shuffle ? EpochOrder.Shuffled(images.Count, options.Seed, epoch) : EpochOrder.InOrder(images.Count);

    internal int SizeOf(int number) => shares[number].Length;

    internal Batch NewBatch(int number) => new(SizeOf(number), images, options.Augmentation.Mixing.Count > 0)
    {
        TeacherImages = teacher?.Room(SizeOf(number)),
        SecondImages = second is null ? null : images.Room(SizeOf(number)),
        TeacherSecondImages = second is null ? null : teacher?.Room(SizeOf(number)),
    };

    internal void Fill(Batch batch, int epoch, int number, int[] order)
    {
        var (start, length) = shares[number];
        batch.Fill(epoch, number, shares.Whole(number), order.AsMemory(start, length), images, normalization, options, second, teacher);
    }
}
