using System.Text;
using DistillSharp.Formats;
using DistillSharp.Formats.Files;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.Tensors;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Formats;

public class WeightsFileTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static StoredTensor Tensor(string name) => new(name, DType.Float32, [2], new byte[8]);

    [Fact]
    public void The_content_decides_not_the_name()
    {
        SafeTensorsFile.Write(folder["a.pth"], [Tensor("a")]);
        PyTorchFile.Write(folder["b.safetensors"], [Tensor("b")]);
        File.Copy(Fixture.Path("every-legacy.pth"), folder["c.zip"]);
        Assert.Equal("a", WeightsFile.Read(folder["a.pth"]).Single().Name);
        Assert.Equal("b", WeightsFile.Read(folder["b.safetensors"]).Single().Name);
        Assert.Equal(18, WeightsFile.Read(folder["c.zip"]).Count);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("\u001f\u008b\u0008", "gzip")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull")]
    [InlineData("<!DOCTYPE html>", "web page")]
    [InlineData("\u0089HDF\r\n", "HDF5")]
    [InlineData("\u0080\u0004}.", "nothing in it is a tensor under a name")]
    [InlineData("{\"a\": 1}", "JSON without a weight_map")]
    [InlineData("{\"a\"", "begins like JSON, but is damaged")]
    [InlineData("hello", "holds no weights in a known form")]
    [InlineData("PK\u0003\u0004", "the zip archive is damaged or cut short")]
    [InlineData("\u0010\u0000\u0000\u0000\u0000\u0000\u0000\u0000{\"a\":", "cut short")]
    public void What_is_none_is_named_for_what_it_seems(string content, string said)
    {
        File.WriteAllBytes(folder["w"], Encoding.Latin1.GetBytes(content));
        var message = Assert.Throws<UserException>(() => WeightsFile.Read(folder["w"])).Message;
        Assert.StartsWith(folder["w"], message);
        Assert.Contains(said, message);
    }

    [SharedFact]
    public void A_TorchScript_archive_says_where_it_belongs() => Assert.Contains(
        "teacher.torchscript",
            Assert.Throws<UserException>(() => WeightsFile.Read(SharedFiles.Path("data/checkpoints/tiny-torchscript.pt"))).Message);

    [Fact]
    public void Every_file_cut_anywhere_is_a_user_error()
    {
        foreach (var fixture in (string[])["every.pth", "every-legacy.pth", "every-deflated.pth"])
        {
            var whole = Fixture.Bytes(fixture);
            for (var length = 0; length < whole.Length; length++)
                Assert.Throws<UserException>(() => WeightsFile.Read(new MemoryStream(whole, 0, length), "cut.pth"));
        }
    }

    [Theory]
    [InlineData("every.pth", "training.pth")]
    [InlineData("every-legacy.pth", "every-legacy-1.pth")]
    [InlineData("every-deflated.pth", "every-big-endian.pth")]
    public void Damaged_files_never_do_worse_than_a_user_error(params string[] fixtures) =>
        Fuzz.Run([.. fixtures.Select(Fixture.Bytes)], file => WeightsFile.Read(new MemoryStream(file), "w.pth"));

    /// <summary>The checksum hides most damage from what lies behind it; here none is recorded, as PyTorch can be told to do.</summary>
    [Fact]
    public void Damaged_objects_in_a_sound_archive_never_do_worse_than_a_user_error()
    {
        byte[] pickle;
        (string Name, byte[] Content)[] others;
        using (var zip = new System.IO.Compression.ZipArchive(new MemoryStream(Fixture.Bytes("every.pth"))))
        {
            pickle = Content(zip.GetEntry("every/data.pkl")!);
            others = [.. zip.Entries.Where(entry => entry.Name != "data.pkl").Select(entry => (entry.FullName, Content(entry)))];
        }
        var accepted = Fuzz.Run([pickle], damaged =>
        {
            var file = new MemoryStream();
            var writer = new StoredZipWriter(file, 64);
            writer.Add("every/data.pkl", damaged);
            foreach (var (name, content) in others) writer.Add(name, content);
            writer.Finish();
            WeightsFile.Read(file, "w.pth");
        });
        Assert.InRange(accepted, 1, Fuzz.Cases - 1);
    }

    static byte[] Content(System.IO.Compression.ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
