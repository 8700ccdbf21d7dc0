namespace DistillSharp.Data;

/// <summary>A data set of this library: its name, the values of its training images and the size of all, said once.</summary>
abstract class PublishedSet(string name, float[] mean, float[] std, int size = 32) : DatasetDescription
{
    public override string Name => name;

    // As the public code bases round them.
    public override IReadOnlyList<float> Mean => mean;

    public override IReadOnlyList<float> Std => std;

    public override int Size => size;

    /// <summary>Images of [3, columns, rows], one after another, as [rows, columns, 3].</summary>
    protected static byte[] RowsFirst(byte[] stored, int side)
    {
        var pixels = new byte[stored.Length];
        for (var (from, image) = (0, 0); from < stored.Length; image++)
            for (var channel = 0; channel < 3; channel++)
                for (var x = 0; x < side; x++)
                    for (var y = 0; y < side; y++) pixels[((image * side + y) * side + x) * 3 + channel] = stored[from++];
        return pixels;
    }
}
