using System.Formats.Tar;
using DistillSharp.Data;
using DistillSharp.Tests.Formats;

namespace DistillSharp.Tests.Data;

/// <summary>Damaged files of every form are read or refused, quickly and within ten times their size.</summary>
public class ReaderFuzzTests
{
    static readonly (string, byte[])[] small = [("f/a", SmallFiles.Bytes(700, 1)), ("f/b", SmallFiles.Bytes(300, 2))];

    [Fact]
    public void Idx()
    {
        byte[][] files =
        [
            SmallFiles.Idx(SmallFiles.Bytes(24, 1), 2, 3, 4), SmallFiles.Idx(SmallFiles.Bytes(3 * 784, 1), 3, 28, 28),
            SmallFiles.Gzip(SmallFiles.Idx(SmallFiles.Bytes(3 * 784, 1), 3, 28, 28)),
        ];
        Fuzz.Run(files, file => IdxFile.Read(UnpackedFile.Over(file, "f"), 3));
    }

    [Fact]
    public void Mnist()
    {
        var labels = SmallFiles.Idx([1, 2, 3], 3);
        Fuzz.Run([SmallFiles.Idx(SmallFiles.Bytes(3 * 784, 1), 3, 28, 28)],
            file => DistillSharp.Data.Mnist.Read(
                UnpackedFile.Over(file, "images"), UnpackedFile.Over(labels, "labels"), SmallFiles.TenNames));
    }

    [Fact]
    public void CifarBinary() =>
        Fuzz.Run([SmallFiles.CifarBinary(2, 1, i => (byte)i, i => (byte)(i + 97))],
            file => DistillSharp.Data.CifarBinary.Read([(file, "f")], 2, 1, SmallFiles.HundredNames));

    [Fact]
    public void CifarPython() =>
        Fuzz.Run([SmallFiles.CifarPython(2, 1, ("labels", i => i))],
            file => DistillSharp.Data.CifarPython.Read([(file, "f")], "labels", SmallFiles.TenNames));

    [Fact]
    public void Tar()
    {
        byte[][] files =
        [
            .. new[] { TarEntryFormat.V7, TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu }.Select(
                format => SmallFiles.Tar(format, small)),
            SmallFiles.Tar(TarEntryFormat.Gnu, (new string('n', 150), [1, 2, 3])),
                SmallFiles.Gzip(SmallFiles.Tar(TarEntryFormat.Pax, small)),
        ];
        var wanted = new HashSet<string> { "f/a", "f/b", new('n', 150) };
        Fuzz.Run(files, file => TarArchive.Read(UnpackedFile.Over(file, "f"), wanted));
    }

    /// <summary>The checksum shields a header from most damage; here each damaged header is signed again, so that it is parsed.</summary>
    [Fact]
    public void TarWithValidChecksums()
    {
        byte[][] files =
            [SmallFiles.Tar(TarEntryFormat.Pax, small), SmallFiles.Tar(TarEntryFormat.Gnu, (new string('n', 150), [1, 2, 3]), small[0])];
        var wanted = new HashSet<string> { "f/a", "f/b", new('n', 150) };
        Fuzz.Run(files, file => TarArchive.Read(UnpackedFile.Over(TarHeaders.Signed(file), "f"), wanted));
    }
}
