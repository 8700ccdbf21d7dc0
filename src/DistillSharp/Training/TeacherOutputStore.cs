namespace DistillSharp.Training;

/// <summary>
/// Rows of numbers by (image, variant), in the type they came in: they come back to the last bit. Nothing is ever thrown out,
/// as every variant of an image is equally likely in every epoch: no row is worth more than another.
/// </summary>
sealed class TeacherOutputStore : IDisposable
{
    readonly int variants;
    // 1 + the row; 0 where there is none.
    readonly int[] rows;
    readonly Tensor[] columns;

    TeacherOutputStore(int images, int variants, int capacity, IReadOnlyList<Tensor> answers)
    {
        (this.variants, Capacity, BytesPerRow) = (variants, capacity, Width(answers));
        rows = new int[images * variants];
        // The system hands out the pages as they are written to.
        columns = [.. answers.Select(answer => Tensor.Empty([capacity, answer.Size(1)], answer.DType, answer.Device).Unscoped())];
    }

    /// <summary>A store for answers like these, [N, width] each; null where not even a thousandth of the useful rows would fit.</summary>
    /// <param name="images">Images of the set.</param>
    /// <param name="variants">Outcomes of the augmentation.</param>
    /// <param name="max">Rows that could ever be of use.</param>
    /// <param name="bytes">What the store may come to, the table of rows counted.</param>
    /// <param name="answers">An answer's columns.</param>
    public static TeacherOutputStore? Create(int images, int variants, long max, long bytes, IReadOnlyList<Tensor> answers)
    {
        var table = (long)images * variants;
        if (table > Array.MaxLength) return null;
        var capacity = Math.Min(Math.Min(max, table), (bytes - table * sizeof(int)) / Width(answers));
        return capacity >= Math.Max(1, max / 1000) ? new(images, variants, (int)capacity, answers) : null;
    }

    /// <summary>Rows that are kept.</summary>
    public int Count { get; private set; }

    /// <summary>Rows that it can keep.</summary>
    public int Capacity { get; }

    /// <summary>Bytes of a row, over all columns.</summary>
    public long BytesPerRow { get; }

    /// <summary>Bytes in use: the rows that are kept, and the table that finds them.</summary>
    public long Bytes => Count * BytesPerRow + (long)rows.Length * sizeof(int);

    /// <summary>The row of an image in a variant; -1 where it is not kept.</summary>
    public int Find(long index, int variant) => rows[index * variants + variant] - 1;

    /// <summary>Keeps answers, as many as there is room for.</summary>
    /// <param name="keys">Image and variant of each; none is kept already.</param>
    /// <param name="positions">Where in the answers each stands.</param>
    /// <param name="answers">The columns, [N, width] each.</param>
    public void Add(ReadOnlySpan<(long Index, int Variant)> keys, ReadOnlySpan<long> positions, IReadOnlyList<Tensor> answers)
    {
        var room = Math.Min(keys.Length, Capacity - Count);
        if (room == 0) return;
        using var scope = TensorScope.Open();
        var from = Indices(positions[..room], answers[0].Device);
        for (var i = 0; i < columns.Length; i++) columns[i].Narrow(0, Count, room).CopyFrom(answers[i].IndexSelect(0, from));
        foreach (var (index, variant) in keys[..room]) rows[index * variants + variant] = ++Count;
    }

    /// <summary>The columns of some rows, [rows, width] each.</summary>
    public Tensor[] Recall(ReadOnlySpan<long> wanted)
    {
        var which = Indices(wanted, columns[0].Device);
        return Array.ConvertAll(columns, column => column.IndexSelect(0, which));
    }

    /// <summary>Positions as a tensor, int64 [N].</summary>
    public static Tensor Indices(ReadOnlySpan<long> positions, Device device) => Tensor.From(positions, positions.Length).To(device);

    static long Width(IReadOnlyList<Tensor> answers) => answers.Sum(answer => answer.Size(1) * answer.DType.Size());

    public void Dispose() => Array.ForEach(columns, column => column.Dispose());
}
