using System.Buffers.Text;
using System.Numerics;

namespace DistillSharp.Formats.Pickle;

/// <summary>The text forms of protocol 0: numbers, quoted strings, raw unicode escapes.</summary>
internal static class PickleText
{
    /// <summary>Reading decimal digits takes time by their square; no checkpoint holds a number of so many.</summary>
    const int LongestNumber = 1000;

    /// <summary>The lines of INT and LONG; <c>00</c> and <c>01</c> are INT's False and True.</summary>
    public static bool TryInteger(ReadOnlySpan<byte> line, out BigInteger value)
    {
        value = default;
        if (line.EndsWith("L"u8)) line = line[..^1];
        return line.Length is > 0 and <= LongestNumber
            && BigInteger.TryParse(Encoding.Latin1.GetString(line), NumberStyles.Integer, CultureInfo.InvariantCulture, out value);
    }

    public static bool TryFloat(ReadOnlySpan<byte> line, out double value)
    {
        (var known, value) = Encoding.Latin1.GetString(line[..Math.Min(line.Length, LongestNumber)]) switch
        {
            "inf" => (true, double.PositiveInfinity),
            "-inf" => (true, double.NegativeInfinity),
            "nan" or "-nan" => (true, double.NaN),
            _ => (false, 0),
        };
        return known || (Utf8Parser.TryParse(line, out value, out var used) && used == line.Length);
    }

    /// <summary>A decimal memo number.</summary>
    public static bool TryIndex(ReadOnlySpan<byte> line, out long value) =>
        Utf8Parser.TryParse(line, out value, out var used) && used == line.Length;

    /// <summary>The quoted, escaped string of STRING, as Python 2's <c>repr</c> writes it.</summary>
    public static byte[]? Unquote(ReadOnlySpan<byte> line)
    {
        line = line.Trim(" \t\r"u8);
        if (line.Length < 2 || line[0] is not ((byte)'\'' or (byte)'"') || line[^1] != line[0]) return null;
        line = line[1..^1];
        var text = new byte[line.Length];
        var length = 0;
        while (line.Length > 0)
        {
            var used = 1;
            text[length++] = line[0] == '\\' ? Escaped(line, out used) : line[0];
            if (used == 0) return null;
            line = line[used..];
        }
        return text[..length];
    }

    /// <summary>One backslash escape; <paramref name="used"/> is 0 where it is none.</summary>
    static byte Escaped(ReadOnlySpan<byte> escape, out int used)
    {
        used = 2;
        if (escape.Length > 1 && "ntrabvf\\'\""u8.IndexOf(escape[1]) is >= 0 and var known) return "\n\t\r\a\b\v\f\\'\""u8[known];
        used = 4;
        if (escape is [_, (byte)'x', _, _, ..] && Utf8Parser.TryParse(escape[2..4], out byte value, out var digits, 'x') && digits == 2)
            return value;
        var octal = 0;
        for (used = 1; used < escape.Length && used < 4 && escape[used] is >= (byte)'0' and <= (byte)'7'; used++)
            octal = 8 * octal + (escape[used] - '0');
        if (used == 1) used = 0;
        return (byte)octal;
    }

    /// <summary>The raw-unicode-escape of UNICODE: Latin-1 with <c>\uXXXX</c> and <c>\UXXXXXXXX</c>.</summary>
    public static string? RawUnicode(ReadOnlySpan<byte> line)
    {
        var text = new StringBuilder(line.Length);
        while (line.Length > 0)
        {
            var digits = line[0] == '\\' && line.Length > 1 ? line[1] switch { (byte)'u' => 4, (byte)'U' => 8, _ => 0 } : 0;
            if (digits == 0)
            {
                text.Append((char)line[0]);
                line = line[1..];
                continue;
            }
            if (line.Length < 2 + digits || !Utf8Parser.TryParse(line.Slice(2, digits), out uint point, out var used, 'x') || used != digits
                || point > 0x10FFFF) return null;
            if (point > 0xFFFF) text.Append(new Rune(point).ToString());
            else text.Append((char)point);
            line = line[(2 + digits)..];
        }
        return text.ToString();
    }
}
