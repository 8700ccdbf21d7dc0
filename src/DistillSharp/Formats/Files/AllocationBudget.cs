namespace DistillSharp.Formats.Files;

/// <summary>
/// Bounds what reading one file may allocate, so that a small hostile file cannot exhaust memory.
/// Whoever allocates by a number that a file states charges it here first.
/// </summary>
internal sealed class AllocationBudget(string fileName, long fileLength)
{
    const int Factor = 10, Floor = 1 << 20;

    readonly long limit = fileLength > (long.MaxValue - Floor) / Factor ? long.MaxValue : Floor + Factor * fileLength;
    long spent;

    /// <summary>Takes bytes from the budget before they are allocated.</summary>
    /// <exception cref="UserException">The file would take more than ten times its own size.</exception>
    public void Charge(long bytes)
    {
        if (bytes > limit - spent)
            throw new UserException($"{fileName}: refused, because reading it would take more than {Factor} times the memory of the file "
                + $"itself ({fileLength} bytes). The file is damaged or made to exhaust memory.");
        spent += bytes;
    }
}
