using System.Text;
using DistillSharp.Experiments.TensorBoard;

namespace DistillSharp.Tests.Experiments.TensorBoard;

public sealed class TensorBoardWriterTests : IDisposable
{
    static readonly DateTimeOffset start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_readers_checksum_is_the_published_one()
    {
        // RFC 3720, B.4: CRC-32C of "123456789" and of 32 zero bytes.
        Assert.Equal(0xE3069283u, EventFile.Crc(Encoding.ASCII.GetBytes("123456789"), 0, 9));
        Assert.Equal(0x8A9136AAu, EventFile.Crc(new byte[32], 0, 32));
    }

    [Fact]
    public void A_file_begins_with_its_version_and_is_named_as_tensorboard_expects()
    {
        using var writer = TensorBoardWriter.Create(folder.Path, start);
        Assert.StartsWith($"events.out.tfevents.{start.ToUnixTimeSeconds()}.", Path.GetFileName(writer.Path));
        var first = Assert.Single(EventFile.Read(writer.Path));
        Assert.Equal(start.ToUnixTimeSeconds(), first.Single(f => f is { Number: 1, WireType: 1 }).AsDouble);
        Assert.Equal("brain.Event:2", first.Single(f => f is { Number: 3, WireType: 2 }).AsText);
    }

    [Fact]
    public void Scalars_come_back_with_tag_step_and_time()
    {
        using var writer = TensorBoardWriter.Create(folder.Path, start);
        writer.Epoch(Sample.Epoch(1), start.AddSeconds(61.5));
        writer.Epoch(Sample.Epoch(300, 71.25), start.AddSeconds(123));
        var records = EventFile.Read(writer.Path);
        Assert.Equal(3, records.Count);
        Assert.Equal(start.ToUnixTimeSeconds() + 61.5, records[1].Single(f => f.Number == 1).AsDouble);
        Assert.Equal(300u, records[2].Single(f => f is { Number: 2, WireType: 0 }).Bits);
        var scalars = Scalars(records[2]);
        Assert.Equal(["accuracy/top1", "accuracy/top5", "loss/total", "loss/ce", "loss/fsecd", "train/lr", "train/images_per_second",
            "train/seconds_per_epoch"], scalars.Select(s => s.Tag));
        Assert.Equal(71.25f, scalars[0].Value);
        Assert.Equal((float)(2.5 / 300), scalars[3].Value);
    }

    [Fact]
    public void Records_of_any_length_are_framed_right()
    {
        using var writer = TensorBoardWriter.Create(folder.Path, start);
        for (var length = 0; length < 300; length++) writer.Text("t", start, new string('x', length));
        var records = EventFile.Read(writer.Path);
        Assert.Equal(301, records.Count);
        for (var length = 0; length < 300; length++)
        {
            var value = records[length + 1].Single(f => f.Number == 5).AsMessage.Single(f => f.Number == 1).AsMessage;
            Assert.Equal(
                "text", value.Single(f => f.Number == 9).AsMessage.Single(f => f.Number == 1).AsMessage.Single(f => f.Number == 1).AsText);
            var tensor = value.Single(f => f.Number == 8).AsMessage;
            Assert.Equal(7u, tensor.Single(f => f is { Number: 1, WireType: 0 }).Bits);
            Assert.Equal(new string('x', length), tensor.Single(f => f.Number == 8).AsText);
        }
    }

    [Fact]
    public void A_flipped_bit_is_found()
    {
        string path;
        using (var writer = TensorBoardWriter.Create(folder.Path, start))
        {
            writer.Epoch(Sample.Epoch(1), start);
            path = writer.Path;
        }
        var bytes = File.ReadAllBytes(path);
        foreach (var at in (int[])[8, 40, bytes.Length - 1, bytes.Length - 20])
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 4;
            File.WriteAllBytes(path, damaged);
            Assert.ThrowsAny<Exception>(() => EventFile.Read(path));
        }
    }

    internal static List<(string Tag, float Value)> Scalars(List<Field> record) =>
        [.. record.Where(f => f.Number == 5).SelectMany(f => f.AsMessage).Where(f => f.Number == 1).Select(f => f.AsMessage)
            .Where(v => v.Exists(f => f is { Number: 2, WireType: 5 }))
            .Select(v => (v.Single(f => f is { Number: 1, WireType: 2 }).AsText, v.Single(f => f is { Number: 2, WireType: 5 }).AsFloat))];
}
