using System.Buffers.Binary;

namespace DistillSharp.Data;

/// <summary>
/// An array of bytes in IDX form, as MNIST is published: two zero bytes, the element type (8: unsigned byte), the number of
/// dimensions, each size as 4 bytes big-endian, the elements row-major.
/// </summary>
readonly record struct IdxFile(IReadOnlyList<int> Sizes, byte[] Elements)
{
    /// <param name="file">The file, gzipped or not.</param>
    /// <param name="dimensions">How many dimensions it must have.</param>
    /// <exception cref="UserException">It is no such file, is cut short, or goes on after its end.</exception>
    public static IdxFile Read(UnpackedFile file, int dimensions)
    {
        Span<byte> header = stackalloc byte[4 + 4 * dimensions];
        var read = file.Read(header);
        if (read < 4 || header is not [0, 0, 8, ..])
            throw new UserException($"'{file.Name}' is not an IDX file of unsigned bytes (it would begin with 00 00 08)");
        if (header[3] != dimensions)
            throw new UserException($"'{file.Name}' holds an array of {header[3]} dimensions where {dimensions} are expected");
        if (read < header.Length) throw new UserException($"'{file.Name}' is cut short: it ends within its header");

        var sizes = new int[dimensions];
        var total = 1L;
        for (var i = 0; i < dimensions; i++)
        {
            sizes[i] = BinaryPrimitives.ReadInt32BigEndian(header[(4 + 4 * i)..]);
            if (sizes[i] <= 0) throw new UserException($"'{file.Name}' is empty or damaged: dimension {i} has size {sizes[i]}");
            total = total > int.MaxValue ? total : total * sizes[i];
        }
        var elements = file.ReadExactly(total, $"an array of {string.Join('x', sizes)}");
        if (!file.AtEnd())
            throw new UserException($"'{file.Name}' goes on after its {string.Join('x', sizes)} elements: it is damaged or no IDX file");
        return new(sizes, elements);
    }
}
