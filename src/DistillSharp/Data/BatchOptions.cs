namespace DistillSharp.Data;

/// <summary>How images are put together into batches.</summary>
public sealed record BatchOptions
{
    /// <summary>Images of one batch, over all processes together.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Decides the order and the augmentation.</summary>
    public long Seed { get; init; }

    /// <summary>Whether each epoch has an order of its own, drawn from the seed.</summary>
    public bool Shuffle { get; init; }

    /// <summary>What is done to the images.</summary>
    public Augmentation Augmentation { get; init; } = Augmentation.None;

    /// <summary>What is done to the same images for a second view of each; null for one view.</summary>
    public Augmentation? SecondView { get; init; }

    /// <summary>What a teacher takes, where that is not what the student does; null for no images of its own.</summary>
    public TeacherInput? Teacher { get; init; }

    /// <summary>Whether a last batch of fewer images is left out.</summary>
    public bool DropLast { get; init; }

    /// <summary>
    /// Threads that prepare a batch together; they change nothing in it. Small images need no more than one, photographs for a GPU many.
    /// </summary>
    public int Threads { get; init; } = 1;

    /// <summary>Batches that are kept ready.</summary>
    public int Ahead { get; init; } = 4;

    /// <summary>Which of <see cref="Processes"/> this one is, from 0. Each takes its share of every batch.</summary>
    public int Rank { get; init; }

    /// <summary>Processes that train together.</summary>
    public int Processes { get; init; } = 1;

    /// <summary>Shuffled and augmented.</summary>
    public static BatchOptions Training(int batchSize, long seed, Augmentation augmentation) =>
        new() { BatchSize = batchSize, Seed = seed, Shuffle = true, Augmentation = augmentation };

    /// <summary>Every image once, in order, as it is.</summary>
    public static BatchOptions Evaluation(int batchSize) => new() { BatchSize = batchSize };

    internal void Validate()
    {
        if (Processes < 1) throw new UsageException($"{Processes} processes cannot train together; give 1 or more");
        if (Rank < 0 || Rank >= Processes) throw new UsageException($"rank {Rank} is not one of 0..{Processes - 1}");
        if (BatchSize < Processes)
            throw new UsageException(
                $"a batch of {BatchSize} images cannot be shared by {Processes} processes; give at least one image to each");
        if (Threads < 1) throw new UsageException($"batches cannot be prepared by {Threads} threads; give 1 or more");
        if (SecondView is not null && Augmentation.Mixing.Concat(SecondView.Mixing).FirstOrDefault() is { } mixing)
            throw new UsageException($"augmentation '{mixing.Name}' mixes two images, and so there are no two views of one");
        if (Ahead < 1) throw new UsageException($"{Ahead} batches cannot be kept ready; give 1 or more");
    }
}
