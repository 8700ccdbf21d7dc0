using System.Buffers.Binary;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.TorchSharp;

namespace DistillSharp.Formats;

/// <summary>
/// The forms in which weights are read. Zip is PyTorch's since 1.6, and numpy's; TorchLegacy PyTorch's before; Pickle one of Python without
/// PyTorch's form around it; ShardIndex the index of weights in several files.
/// </summary>
internal enum FileKind { Zip, TorchLegacy, Pickle, SafeTensors, ShardIndex, TorchSharp }

/// <summary>Tells files apart by their first bytes; names and extensions are not looked at.</summary>
internal static class FileKinds
{
    const int Looked = 512;

    /// <summary>What people give by mistake: how such a file begins, at which byte, and what to say.</summary>
    static readonly (byte[] Begins, int At, string Says)[] mistakes =
    [
        ([0x1f, 0x8b], 0, "is compressed with gzip; unpack it first"),
        ([0xfd, .. "7zXZ"u8], 0, "is compressed with xz; unpack it first"),
        ([0x28, 0xb5, 0x2f, 0xfd], 0, "is compressed with zstd; unpack it first"),
        ([.. "BZh"u8], 0, "is compressed with bzip2; unpack it first"),
        ([.. "ustar"u8], 257,
            "is a tar archive, as PyTorch wrote before 0.1.10 or as downloads are packed; "
                + "unpack it, or save it again with a newer PyTorch"),
        ([0x89, .. "HDF"u8], 0, "is an HDF5 file, as Keras writes; convert it to safetensors"),
        ([.. "version https://git-lfs"u8], 0, "is a pointer of Git LFS, not the file itself; fetch it with 'git lfs pull'"),
        ([(byte)'<'], 0, "is a web page or XML, not weights; the download went wrong"),
        ([0x93, .. "NUMPY"u8], 0, "is a single numpy array, not a set of named weights; save them with numpy.savez or as safetensors"),
    ];

    /// <summary>The kind of the file at the stream's start; the stream then stands there again.</summary>
    /// <exception cref="UserException">It is none of those that are read; the message says what it seems to be.</exception>
    public static FileKind Of(Stream file, string name)
    {
        Span<byte> start = stackalloc byte[Looked];
        file.Position = 0;
        start = start[..file.ReadAtLeast(start, Looked, throwOnEndOfStream: false)];
        file.Position = 0;
        if (start.Length == 0) throw new UserException($"{name}: is empty.");
        if (start.StartsWith("PK\x03\x04"u8) || start.StartsWith("PK\x05\x06"u8)) return FileKind.Zip;
        if (IsLegacy(start)) return FileKind.TorchLegacy;
        if (IsSafeTensors(start, file.Length)) return FileKind.SafeTensors;
        foreach (var (begins, at, says) in mistakes)
            if (start.Length > at && start[at..].StartsWith(begins)) throw new UserException($"{name}: {says}.");
        if (ShardIndex.IsOne(start)) return FileKind.ShardIndex;
        if (start is [0x80, <= 5, ..] || start.StartsWith("(dp0"u8) || start.StartsWith("}q"u8) || start.StartsWith("ccollections\n"u8))
            return FileKind.Pickle;
        if (TorchSharpFile.IsOne(file)) return FileKind.TorchSharp;
        throw new UserException($"{name}: holds no weights in a known form, or is damaged at its start; known are PyTorch's (torch.save), "
            + "safetensors, numpy's archives and TorchSharp's state files.");
    }

    /// <summary>The magic number is the first pickle: as bytes in every protocol but the first, which has it in digits.</summary>
    static bool IsLegacy(ReadOnlySpan<byte> start) =>
        start[..Math.Min(start.Length, 32)].IndexOf(TorchLegacy.Magic.ToByteArray()) >= 0
            || start.StartsWith("L119547037146038801333356"u8);

    // It begins with the length of its header, which begins with a brace. A length beyond the file's end is told by the reader.
    static bool IsSafeTensors(ReadOnlySpan<byte> start, long length) =>
        start.Length > SafeTensorsFile.PrefixSize && start[SafeTensorsFile.PrefixSize] == '{'
        || start.Length >= SafeTensorsFile.PrefixSize && BinaryPrimitives.ReadUInt64LittleEndian(start) is > 1 and var header
        && header == (ulong)(length - SafeTensorsFile.PrefixSize);
}
