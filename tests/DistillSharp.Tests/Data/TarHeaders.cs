using System.Text;

namespace DistillSharp.Tests.Data;

static class TarHeaders
{
    /// <summary>Gives every block that could be a header a checksum that fits.</summary>
    public static byte[] Signed(byte[] archive)
    {
        var signed = (byte[])archive.Clone();
        for (var start = 0; start + 512 <= signed.Length; start += 512)
            if (signed.AsSpan(start + 257, 5).SequenceEqual("ustar"u8)) Sign(signed.AsSpan(start, 512));
        return signed;
    }

    public static void Sign(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var value in header) sum += value;
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
    }
}
