using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using DistillSharp.Formats.Files;

namespace DistillSharp.Tests.Formats;

public class ZipRecordsTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static ZipRecords Open(byte[] file) => new(new MemoryStream(file), "w.pth", new AllocationBudget("w.pth", file.Length));

    static byte[] Deflated(params (string Name, byte[] Content)[] files)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in files)
                using (var entry = zip.CreateEntry(name).Open()) entry.Write(content);
        return stream.ToArray();
    }

    static byte[] Stored(params (string Name, byte[] Content)[] files)
    {
        var stream = new MemoryStream();
        var zip = new StoredZipWriter(stream, 64);
        foreach (var (name, content) in files) zip.Add(name, content);
        zip.Finish();
        return stream.ToArray();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(100_000)]
    public void Stored_and_packed_files_come_out_as_they_went_in(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        using var packed = Open(Deflated(("a/b", content), ("c", [1])));
        using var stored = Open(Stored(("a/b", content), ("c", [1])));
        Assert.Equal(content, packed.Read("a/b").ToArray());
        Assert.Equal(content, stored.Read("a/b").ToArray());
        Assert.Equal([1], stored.Read("c").ToArray());
    }

    [Theory]
    [InlineData("123456789", 0xCBF43926u)]
    [InlineData("", 0u)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x414FA339u)]
    public void The_checksum_is_that_of_zip(string text, uint crc) => Assert.Equal(crc, Crc32.HashToUInt32(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Archives_of_ours_are_aligned_and_read_by_others()
    {
        var file = Stored(("archive/data.pkl", [1, 2, 3]), ("archive/data/0", new byte[70]), ("archive/version", "3\n"u8.ToArray()));
        using var zip = new ZipArchive(new MemoryStream(file));
        Assert.Equal(["archive/data.pkl", "archive/data/0", "archive/version"], zip.Entries.Select(entry => entry.FullName));
        Assert.Equal(0, file.AsSpan().IndexOf((byte[])[1, 2, 3]) % 64);
    }

    [Fact]
    public void A_damaged_byte_is_told_by_the_checksum()
    {
        var file = Stored(("a", "some content"u8.ToArray()));
        file[file.AsSpan().IndexOf("content"u8)] ^= 1;
        using var records = Open(file);
        Assert.Contains("its checksum does not agree", Assert.Throws<UserException>(() => records.Read("a")).Message);
    }

    [Fact]
    public void A_checksum_of_zero_means_that_none_was_made()
    {
        var file = Stored(("a", "some content"u8.ToArray()));
        var crc = BitConverter.GetBytes(Crc32.HashToUInt32("some content"u8));
        for (int at; (at = file.AsSpan().IndexOf(crc)) >= 0;) file.AsSpan(at, 4).Clear();
        using var records = Open(file);
        Assert.Equal("some content"u8.ToArray(), records.Read("a").ToArray());
    }

    [Fact]
    public void A_bomb_is_refused_before_it_unpacks()
    {
        var bomb = Deflated(("a/data.pkl", new byte[200_000_000]));
        Assert.InRange(bomb.Length, 0, 1_000_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var records = Open(bomb);
        Assert.Contains(
            "more than 10 times the memory of the file", Assert.Throws<UserException>(() => records.Read("a/data.pkl")).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void A_file_read_again_and_again_is_a_bomb_too()
    {
        using var records = Open(Deflated(("a", new byte[400_000])));
        records.Read("a");
        records.Read("a");
        Assert.Throws<UserException>(() => records.Read("a"));
    }

    [Fact]
    public void A_file_longer_than_the_directory_says_is_refused()
    {
        var file = Stored(("a", new byte[300]));
        // The directory's uncompressed length alone, which then disagrees with the stored one.
        var directory = file.AsSpan().LastIndexOf("PK\x01\x02"u8);
        BitConverter.GetBytes(200).CopyTo(file, directory + 24);
        using var records = Open(file);
        Assert.Throws<UserException>(() => records.Read("a"));
    }

    [Fact]
    public void Two_files_of_one_name_are_refused() =>
        Assert.Contains("'a' twice", Assert.Throws<UserException>(() => Open(Stored(("a", [1]), ("a", [2])))).Message);

    [Fact]
    public void A_directory_of_many_files_stays_within_its_memory()
    {
        var file = Stored([.. Enumerable.Range(0, 20_000).Select(i => ($"{i}", Array.Empty<byte>()))]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        using (Open(file))
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10L * file.Length);
    }

    [Fact]
    public void Beyond_4_GiB_the_archive_says_so_in_64_bits()
    {
        // A hole of 5 GB that takes no room on the disk: the offsets are as in a file so large.
        const long hole = 5_000_000_000;
        var path = folder["large.zip"];
        using (var stream = File.Create(path))
        {
            stream.Position = hole;
            var zip = new StoredZipWriter(stream, 64);
            zip.Add("a", "first"u8);
            zip.Add("b", "second"u8);
            zip.Finish();
        }
        using var read = ZipFile.OpenRead(path);
        Assert.Equal(["a", "b"], read.Entries.Select(entry => entry.FullName));
        using var content = new StreamReader(read.GetEntry("b")!.Open());
        Assert.Equal("second", content.ReadToEnd());
    }

    [Fact]
    public void More_than_65535_files_are_counted_in_64_bits()
    {
        var file = Stored([.. Enumerable.Range(0, 70_000).Select(i => ($"{i}", Array.Empty<byte>()))]);
        using var read = new ZipArchive(new MemoryStream(file));
        Assert.Equal(70_000, read.Entries.Count);
    }
}
