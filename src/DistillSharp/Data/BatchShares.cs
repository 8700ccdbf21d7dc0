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

    /// <summary>Number of batches.</summary>
    public int Count { get; }

    /// <summary>Where in the order this process's share of a batch lies.</summary>
    public (int Start, int Length) this[int number]
    {
        get
        {
            var start = number * options.BatchSize;
            var length = Math.Min(options.BatchSize, images - start);
            var from = (int)((long)length * options.Rank / options.Processes);
            var to = (int)((long)length * (options.Rank + 1) / options.Processes);
            return (start + from, to - from);
        }
    }
}
