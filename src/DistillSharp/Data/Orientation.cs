using System.Buffers.Binary;

namespace DistillSharp.Data;

/// <summary>
/// How a camera was held, as EXIF notes it in a JPEG file (tag 274): what is to be done to the stored pixels so that the picture stands
/// upright. Rows, columns or both are reversed first, then rows become columns.
/// </summary>
/// <param name="ReverseRows">Whether the last row becomes the first.</param>
/// <param name="ReverseColumns">Whether the last column becomes the first.</param>
/// <param name="Swap">Whether rows become columns.</param>
readonly record struct Orientation(bool ReverseRows, bool ReverseColumns, bool Swap)
{
    const int Tag = 0x0112, Short = 3, EntryLength = 12;
    const byte Marker = 0xff, Exif = 0xe1, StartOfScan = 0xda;

    /// <summary>Whether the pixels stay as they are stored.</summary>
    public bool IsStored => this == default;

    /// <summary>What a JPEG file says; nothing where it says nothing, or what makes no sense.</summary>
    public static Orientation Of(ReadOnlySpan<byte> jpeg) => Numbered(NumberOf(jpeg));

    /// <summary>EXIF's number in a JPEG file, 1 to 8; 0 where it says none, or what makes no sense.</summary>
    public static int NumberOf(ReadOnlySpan<byte> jpeg)
    {
        for (var rest = jpeg[Math.Min(2, jpeg.Length)..]; rest is [Marker, not StartOfScan and var kind, var high, var low, ..];)
        {
            var length = (high << 8 | low) + 2;
            if (length < 4 || length > rest.Length) break;
            var content = rest[4..length];
            if (kind == Exif && content.StartsWith("Exif\0\0"u8)) return Value(content[6..]) is >= 1 and <= 8 and var said ? said : 0;
            rest = rest[length..];
        }
        return 0;
    }

    /// <summary>A JPEG file with a number for its orientation in front of all that it says.</summary>
    /// <param name="jpeg">The file, which says none.</param>
    /// <param name="number">EXIF's number, 1 to 8.</param>
    public static byte[] Noted(ReadOnlySpan<byte> jpeg, int number) =>
    [
        .. jpeg[..2], Marker, Exif, 0, 34, .. "Exif\0\0MM"u8, 0, 42, 0, 0, 0, 8, 0, 1, Tag >> 8, Tag & 255, 0, Short, 0, 0, 0, 1, 0,
            (byte)number, 0, 0, 0, 0, 0, 0, .. jpeg[2..],
    ];

    /// <summary>The size of an image after it is turned.</summary>
    public (int Height, int Width) Size(int height, int width) => Swap ? (width, height) : (height, width);

    /// <summary>Where an area of the upright image lies in the stored one of so many rows and columns.</summary>
    public ImageArea Stored(ImageArea area, int height, int width)
    {
        var (top, left, h, w) = Swap ? (area.Left, area.Top, area.Width, area.Height) : (area.Top, area.Left, area.Height, area.Width);
        return new(ReverseRows ? height - top - h : top, ReverseColumns ? width - left - w : left, h, w);
    }

    /// <summary>Where a box of the stored image, of so many rows and columns, lies in the upright one.</summary>
    public ImageBox Upright(ImageBox box, int height, int width)
    {
        var top = ReverseRows ? height - box.Top - box.Height : box.Top;
        var left = ReverseColumns ? width - box.Left - box.Width : box.Left;
        return Swap ? new(left, top, box.Width, box.Height) : new(top, left, box.Height, box.Width);
    }

    /// <summary>Turns a stored image, [height, width, 3], into the upright one, which has as many bytes.</summary>
    public void Turn(ReadOnlySpan<byte> stored, int height, int width, Span<byte> upright)
    {
        var (rows, columns) = Size(height, width);
        for (var (y, at) = (0, 0); y < rows; y++)
            for (var x = 0; x < columns; x++, at += 3)
            {
                var (row, column) = Swap ? (x, y) : (y, x);
                if (ReverseRows) row = height - 1 - row;
                if (ReverseColumns) column = width - 1 - column;
                stored.Slice((row * width + column) * 3, 3).CopyTo(upright[at..]);
            }
    }

    /// <summary>EXIF's eight, from "the 0th row is the visual top, the 0th column the visual left" on.</summary>
    public static Orientation Numbered(int number) => number switch
    {
        2 => new(false, true, false),
        3 => new(true, true, false),
        4 => new(true, false, false),
        5 => new(false, false, true),
        6 => new(true, false, true),
        7 => new(true, true, true),
        8 => new(false, true, true),
        _ => default,
    };

    // The number in the first directory of a TIFF header; 0 where there is none.
    static int Value(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8 || tiff is not ([(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..])) return 0;
        var little = tiff[0] == (byte)'I';
        var at = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (at > tiff.Length - 2) return 0;
        var entries = tiff[((int)at + 2)..];
        for (var left = Word(tiff[(int)at..], little); left > 0 && entries.Length >= EntryLength; left--, entries = entries[EntryLength..])
            if (Word(entries, little) == Tag && Word(entries[2..], little) == Short) return Word(entries[8..], little);
        return 0;
    }

    static int Word(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
}
