namespace DistillSharp.Data;

/// <summary>
/// Which stretch of an epoch's order each batch of this process takes. The order is cut into batches first and each batch is
/// then shared out, so a batch holds the same images however many processes there are.
/// </summary>
readonly struct BatchShares
{
    readonly int images;
    readonly BatchOptions options;

    public BatchShares(int images, BatchOptions options)
    {
        (this.images, this.options) = (images, options);
        var (whole, rest) = Math.DivRem(images, options.BatchSize);
        Count = whole;
        // In training every process must take part in every step; in evaluation no image may be lost.
        var lastCounts = options.Shuffle ? rest >= options.Processes : rest > 0 && this[whole].Length > 0;
        if (lastCounts && !options.DropLast) Count++;
    }

    public int Count { get; }

    /// <summary>Where in the order this process's share of a batch lies.</summary>
    public (int Start, int Length) this[int number]
    {
        get
        {
            var (from, to) = (Cut(Whole(number), options.Rank, options.Processes), Cut(Whole(number), options.Rank + 1, options.Processes));
            return (number * options.BatchSize + from, to - from);
        }
    }

    /// <summary>Images of a batch over all processes.</summary>
    public int Whole(int number) => Math.Min(options.BatchSize, images - number * options.BatchSize);

    /// <summary>Where the share of a process begins in a batch of that many images.</summary>
    public static int Cut(int images, int rank, int processes) => (int)((long)images * rank / processes);
}
