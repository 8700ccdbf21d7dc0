using System.Text;

namespace DistillSharp.Tests.Experiments.TensorBoard;

/// <summary>One field of a protobuf message as it stands on the wire.</summary>
record Field(int Number, int WireType, ulong Bits, byte[] Bytes)
{
    public double AsDouble => BitConverter.UInt64BitsToDouble(Bits);
    public float AsFloat => BitConverter.UInt32BitsToSingle((uint)Bits);
    public string AsText => Encoding.UTF8.GetString(Bytes);
    public List<Field> AsMessage => EventFile.Fields(Bytes);
}

/// <summary>
/// Reads event files byte by byte from TensorBoard's description of them. It shares no code with the writer: its own
/// bitwise CRC, its own reading of the wire format, no generated messages.
/// </summary>
static class EventFile
{
    public static List<List<Field>> Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var records = new List<List<Field>>();
        var at = 0;
        while (at < bytes.Length)
        {
            ulong length = 0;
            for (var i = 7; i >= 0; i--) length = length * 256 + bytes[at + i];
            if (Unmask(UInt(bytes, at + 8)) != Crc(bytes, at, 8)) throw new InvalidDataException($"length checksum at {at}");
            var data = at + 12;
            if (Unmask(UInt(bytes, data + (int)length)) != Crc(bytes, data, (int)length))
                throw new InvalidDataException($"data checksum at {at}");
            records.Add(Fields(bytes[data..(data + (int)length)]));
            at = data + (int)length + 4;
        }
        return records;
    }

    public static List<Field> Fields(byte[] message)
    {
        var fields = new List<Field>();
        var at = 0;
        while (at < message.Length)
        {
            var key = Varint();
            var (number, type) = ((int)(key / 8), (int)(key % 8));
            switch (type)
            {
                case 0: fields.Add(new(number, type, Varint(), [])); break;
                case 1: fields.Add(new(number, type, Fixed(8), [])); break;
                case 5: fields.Add(new(number, type, Fixed(4), [])); break;
                case 2:
                    var length = (int)Varint();
                    fields.Add(new(number, type, 0, message[at..(at + length)]));
                    at += length;
                    break;
                default: throw new InvalidDataException($"wire type {type}");
            }
        }
        return fields;

        ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var b = message[at++];
                value |= (ulong)(b & 127) << shift;
                if (b < 128) return value;
            }
        }

        ulong Fixed(int size)
        {
            ulong value = 0;
            for (var i = size - 1; i >= 0; i--) value = value << 8 | message[at + i];
            at += size;
            return value;
        }
    }

    /// <summary>CRC-32C, bit by bit: polynomial 0x1EDC6F41, reflected.</summary>
    public static uint Crc(byte[] bytes, int start, int count)
    {
        var crc = 0xFFFFFFFFu;
        for (var i = start; i < start + count; i++)
        {
            crc ^= bytes[i];
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
        }
        return ~crc;
    }

    static uint Unmask(uint masked)
    {
        var rotated = masked - 0xa282ead8u;
        return rotated >> 17 | rotated << 15;
    }

    static uint UInt(byte[] bytes, int at) => (uint)(bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24);
}
