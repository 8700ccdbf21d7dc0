using System.Formats.Tar;
using System.Text;
using DistillSharp.Data;
using FsCheck;
using FsCheck.Fluent;

namespace DistillSharp.Tests.Data;

public class TarArchiveTests
{
    static Dictionary<string, byte[]> Read(byte[] archive, params string[] wanted) =>
        TarArchive.Read(UnpackedFile.Over(archive, "a.tar"), wanted.ToHashSet());

    static string Refusal(byte[] archive) => Assert.Throws<UserException>(() => Read(archive, "folder/b")).Message;

    static byte[] Sample(TarEntryFormat format = TarEntryFormat.Ustar) =>
        SmallFiles.Tar(format, ("folder/a", SmallFiles.Bytes(700, 1)), ("folder/b", SmallFiles.Bytes(512, 2)), ("folder/c", []));

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void Read_FindsTheWantedFiles(TarEntryFormat format)
    {
        foreach (var archive in new[] { Sample(format), SmallFiles.Gzip(Sample(format)) })
        {
            var found = Read(archive, "folder/b", "folder/c", "folder/d");
            Assert.Equal(["folder/b", "folder/c"], found.Keys.Order());
            Assert.Equal(SmallFiles.Bytes(512, 2), found["folder/b"]);
            Assert.Empty(found["folder/c"]);
        }
    }

    [Fact]
    public void Read_AgreesWithTheFrameworksWriter()
    {
        var law = Prop.ForAll<PositiveInt, int>((length, seed) =>
        {
            var format = (TarEntryFormat)(1 + (seed & int.MaxValue) % 4);
            var folder = new string('f', format == TarEntryFormat.V7 ? 5 : 1 + length.Get % 120);
            var files =
                Enumerable.Range(0, 4).Select(i => ($"{folder}/{i}", SmallFiles.Bytes(length.Get * 31 * i % 3000, seed + i))).ToArray();
            var found = Read(SmallFiles.Tar(format, files), [.. files.Select(file => file.Item1)]);
            return files.All(file => found[file.Item1].SequenceEqual(file.Item2));
        });
        law.QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Read_TakesALeadingDotForTheFolderItself() =>
        Assert.Equal([7], Read(SmallFiles.Tar(TarEntryFormat.Gnu, ("./folder/b", [7])), "folder/b")["folder/b"]);

    [Theory]
    [InlineData("../folder/b")]
    [InlineData("/folder/b")]
    [InlineData("x/../folder/b")]
    [InlineData("folder/./b")]
    public void Read_DoesNotFollowPathsThatLeadElsewhere(string name) =>
        Assert.Empty(Read(SmallFiles.Tar(TarEntryFormat.Pax, (name, [7])), "folder/b"));

    [Fact]
    public void Read_IgnoresLinksThatBearAWantedName()
    {
        var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
            writer.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "folder/b") { LinkName = "/etc/passwd" });
        Assert.Empty(Read(archive.ToArray(), "folder/b"));
    }

    [Fact]
    public void DamagedArchives_AreRefusedWithTheReason()
    {
        Assert.Equal("'a.tar' is not a tar archive", Refusal([]));
        Assert.Equal("'a.tar' is not a tar archive", Refusal(SmallFiles.Bytes(2000, 3)));
        Assert.Contains("'folder/b' would take 512 bytes, but no more than 100", Refusal(Sample()[..(512 + 1024 + 512 + 100)]));
        Assert.Contains("ends within a header", Refusal(Sample()[..(512 + 1024 + 100)]));
        var flipped = Sample();
        flipped[512 + 1024] ^= 1;
        Assert.Contains("damaged at byte 2048: a header's checksum is wrong", Refusal(flipped));
        Assert.Contains("gzip data cannot be unpacked", Refusal(Flipped(SmallFiles.Gzip(Sample()), 200)));
        Assert.Contains("it ends within a header", Refusal(SmallFiles.Gzip(Sample())[..^600]));
        Assert.Contains("packed with xz", Refusal([0xFD, .. "7zXZ\0"u8]));
        Assert.Contains("packed with zip", Refusal([.. "PK"u8, 3, 4]));
    }

    [Fact]
    public void AHeaderThatClaimsTooMuch_IsRefusedBeforeAnythingIsAllocated()
    {
        foreach (var type in "0xgLK")
        {
            var header = new byte[1024];
            Encoding.ASCII.GetBytes("folder/b").CopyTo(header, 0);
            "77777777777"u8.CopyTo(header.AsSpan(124));
            header[156] = (byte)type;
            TarHeaders.Sign(header.AsSpan(0, 512));
            foreach (var archive in new[] { header, SmallFiles.Gzip(header) })
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                Assert.Matches("takes? (8589934591|\\d+) bytes", Refusal(archive));
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
            }
        }
    }

    [Fact]
    public void AFileThatGrowsMoreThanTenfold_IsRefused()
    {
        var bomb = SmallFiles.Gzip(SmallFiles.Tar(TarEntryFormat.Ustar, ("other", new byte[20_000_000]), ("folder/b", [1])));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("cut short or damaged: an entry would take 20000000 bytes", Refusal(bomb));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10 * bomb.Length + (1 << 20));
    }

    static byte[] Flipped(byte[] file, int at)
    {
        file[at] ^= 1;
        return file;
    }
}
