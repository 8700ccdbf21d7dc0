using DistillSharp.Formats.Files;

namespace DistillSharp.Tests.Formats;

public class AtomicFileTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Writes_and_replaces()
    {
        AtomicFile.Write(folder["a.bin"], "first, and longer"u8.ToArray());
        AtomicFile.Write(folder["a.bin"], file =>
        {
            file.Write("sec"u8);
            file.Write("ond"u8);
        });
        Assert.Equal("second", File.ReadAllText(folder["a.bin"]));
        Assert.Equal([folder["a.bin"]], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_writer_that_fails_leaves_the_old_file_and_nothing_else()
    {
        File.WriteAllText(folder["a.bin"], "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(folder["a.bin"], file =>
        {
            file.Write(new byte[200_000]);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(folder["a.bin"]));
        Assert.Equal([folder["a.bin"]], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void The_new_content_is_seen_only_when_it_is_whole()
    {
        File.WriteAllText(folder["a.bin"], "old");
        AtomicFile.Write(folder["a.bin"], file =>
        {
            file.Write(new byte[200_000]);
            file.Flush();
            Assert.Equal("old", File.ReadAllText(folder["a.bin"]));
        });
        Assert.Equal(200_000, new FileInfo(folder["a.bin"]).Length);
    }

    [Fact]
    public void A_link_stays_a_link()
    {
        File.WriteAllText(folder["target.bin"], "old");
        File.CreateSymbolicLink(folder["link.bin"], folder["target.bin"]);
        AtomicFile.Write(folder["link.bin"], "new"u8.ToArray());
        Assert.NotNull(new FileInfo(folder["link.bin"]).LinkTarget);
        Assert.Equal("new", File.ReadAllText(folder["target.bin"]));
    }

    [Fact]
    public void What_cannot_be_written_is_said()
    {
        Directory.CreateDirectory(folder["sub"]);
        Assert.Equal($"cannot write {folder["sub"]}: it is a folder", Refusal(folder["sub"]));
        Assert.Equal($"cannot write {folder["no/a.bin"]}: the folder does not exist", Refusal(folder["no/a.bin"]));
        Assert.Equal([], Directory.GetFiles(folder.Path));
    }

    static string Refusal(string path) => Assert.Throws<UserException>(() => AtomicFile.Write(path, "x"u8.ToArray())).Message;
}
