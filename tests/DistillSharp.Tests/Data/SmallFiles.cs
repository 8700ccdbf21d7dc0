using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace DistillSharp.Tests.Data;

/// <summary>Writes small data sets in the published forms.</summary>
static class SmallFiles
{
    public static readonly string[] TenNames = [.. Enumerable.Range(0, 10).Select(i => $"class{i}")];
    public static readonly string[] HundredNames = [.. Enumerable.Range(0, 100).Select(i => $"fine{i}")];
    public static readonly string[] TwentyNames = [.. Enumerable.Range(0, 20).Select(i => $"coarse{i}")];

    public static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static byte[] Idx(byte[] elements, params int[] sizes)
    {
        var file = new byte[4 + 4 * sizes.Length + elements.Length];
        (file[2], file[3]) = (8, (byte)sizes.Length);
        for (var i = 0; i < sizes.Length; i++) BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + 4 * i), sizes[i]);
        elements.CopyTo(file, 4 + 4 * sizes.Length);
        return file;
    }

    public static byte[] Gzip(byte[] content)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
        return packed.ToArray();
    }

    public static byte[] Tar(TarEntryFormat format, params (string Name, byte[] Content)[] files)
    {
        var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, format, leaveOpen: true))
            foreach (var (name, content) in files)
            {
                TarEntry entry = format switch
                {
                    TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name),
                    TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                    _ => new PaxTarEntry(TarEntryType.RegularFile, name),
                };
                entry.DataStream = new MemoryStream(content);
                writer.WriteEntry(entry);
            }
        return archive.ToArray();
    }

    /// <summary>Random planes behind each record's label bytes; the label of image i is <paramref name="label"/>(i).</summary>
    public static byte[] CifarBinary(int count, int seed, params Func<int, byte>[] label)
    {
        var file = new MemoryStream();
        for (var i = 0; i < count; i++)
        {
            foreach (var of in label) file.WriteByte(of(i));
            file.Write(Planes(seed, i));
        }
        return file.ToArray();
    }

    public static byte[] Planes(int seed, int image) => Bytes(3072, 1000 * seed + image);

    /// <summary>A dict as Python 2's pickle (protocol 2) writes it.</summary>
    public static byte[] Pickle(params (string Key, Action<Stream> Value)[] entries)
    {
        var file = new MemoryStream();
        file.Write([0x80, 2, (byte)'}', (byte)'(']);
        foreach (var (key, value) in entries)
        {
            Text(file, key);
            value(file);
        }
        file.Write("u."u8);
        return file.ToArray();
    }

    public static Action<Stream> Integers(IEnumerable<int> values) => file =>
    {
        file.Write("]("u8);
        foreach (var value in values)
        {
            file.WriteByte((byte)'J');
            file.Write(BitConverter.GetBytes(value));
        }
        file.WriteByte((byte)'e');
    };

    public static Action<Stream> Texts(IEnumerable<string> values) => file =>
    {
        file.Write("]("u8);
        foreach (var value in values) Text(file, value);
        file.WriteByte((byte)'e');
    };

    public static Action<Stream> Array(byte[] elements, int rows, int columns, bool columnMajor = false) => file =>
    {
        file.Write(Reconstruct);
        file.Write("(K\u0001J"u8);
        file.Write(BitConverter.GetBytes(rows));
        file.WriteByte((byte)'J');
        file.Write(BitConverter.GetBytes(columns));
        file.WriteByte(0x86);
        file.Write(ElementType);
        file.WriteByte(columnMajor ? (byte)0x88 : (byte)0x89);
        file.WriteByte((byte)'T');
        file.Write(BitConverter.GetBytes(elements.Length));
        file.Write(elements);
        file.Write("tb"u8);
    };

    static readonly byte[] Reconstruct =
        Encoding.Latin1.GetBytes("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\u0085U\u0001b\u0087R");
    static readonly byte[] ElementType =
        Encoding.Latin1.GetBytes(
            "cnumpy\ndtype\nU\u0002u1K\0K\u0001\u0087R(K\u0003U\u0001|NNNJ\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u00ffK\0tb");

    static void Text(Stream file, string text)
    {
        file.WriteByte((byte)'U');
        file.WriteByte((byte)text.Length);
        file.Write(Encoding.Latin1.GetBytes(text));
    }

    /// <summary>A batch of the python version.</summary>
    public static byte[] CifarPython(int count, int seed, params (string Key, Func<int, int> Label)[] labels) => Pickle(
    [
        ("batch_label", file => Text(file, "a batch")),
        .. labels.Select(label => (label.Key, Integers(Enumerable.Range(0, count).Select(label.Label)))),
        ("data", Array([.. Enumerable.Range(0, count).SelectMany(i => Planes(seed, i))], count, 3072)),
    ]);

    /// <summary>The three files of CIFAR-100's python version.</summary>
    public static (string Name, byte[] Content)[] Cifar100Python(int train = 6, int test = 3) =>
    [
        ("train", CifarPython(train, 1, ("fine_labels", i => i % 100), ("coarse_labels", i => i % 20))),
        ("test", CifarPython(test, 2, ("fine_labels", i => 99 - i), ("coarse_labels", i => 19 - i))),
        ("meta", Pickle(("fine_label_names", Texts(HundredNames)), ("coarse_label_names", Texts(TwentyNames)))),
    ];

    /// <summary>The files of CIFAR-100's binary version, with the same images and labels.</summary>
    public static (string Name, byte[] Content)[] Cifar100Binary(int train = 6, int test = 3) =>
    [
        ("train.bin", CifarBinary(train, 1, i => (byte)(i % 20), i => (byte)(i % 100))),
        ("test.bin", CifarBinary(test, 2, i => (byte)(19 - i), i => (byte)(99 - i))),
        ("fine_label_names.txt", Encoding.ASCII.GetBytes(string.Join('\n', HundredNames) + "\n")),
        ("coarse_label_names.txt", Encoding.ASCII.GetBytes(string.Join('\n', TwentyNames) + "\n\n")),
    ];

    public static (string Name, byte[] Content)[] In(string folder, (string Name, byte[] Content)[] files) =>
        [.. files.Select(file => ($"{folder}/{file.Name}", file.Content))];

    public static void Write(string folder, (string Name, byte[] Content)[] files)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, content) in files) File.WriteAllBytes(Path.Combine(folder, name), content);
    }

    /// <summary>The values of one image, [H, W, C], from planes [C, H, W]: the slow way.</summary>
    public static byte[] Interleaved(byte[] planes)
    {
        var image = new byte[planes.Length];
        for (var channel = 0; channel < 3; channel++)
            for (var y = 0; y < 32; y++)
                for (var x = 0; x < 32; x++)
                    image[(y * 32 + x) * 3 + channel] = planes[channel * 1024 + y * 32 + x];
        return image;
    }
}
