using System.Buffers.Binary;
using System.Text.Json;
using DistillSharp.Cli.Commands;

namespace DistillSharp.Cli.Tests;

public sealed class QuickstartCommandTests : IDisposable
{
    readonly SampleRuns samples = new();

    public void Dispose() => samples.Dispose();

    [Fact]
    public void It_ends_with_a_report_of_its_own_runs()
    {
        var data = FashionMnist(train: 160, test: 40);
        var session = new Session();
        var code =
            session.Run(
                [new QuickstartCommand()], "quickstart", "--data-root", data, "--runs", samples.Root, "--set", "train.epochs=2", "--json");
        Assert.True(code == 0, session.Error);
        Assert.Equal(
            ["teacher", "ce", "kd", "fsecd"],
            JsonDocument.Parse(session.Out).RootElement.EnumerateArray().Select(row => row.GetProperty("method").GetString()));
        var report = Path.Combine(samples.Root, "report.html");
        Assert.EndsWith($"report   {report}\n", session.Error);
        var page = File.ReadAllText(report);
        foreach (var run in new[] { "quickstart-ce-s1", "quickstart-kd-s1", "quickstart-fsecd-s1", "resnet14 (teacher)", "Ankle boot" })
            Assert.Contains(run, page);

        // Again with another seed: the teacher is kept, and the page is of the new runs.
        session = new Session();
        Assert.Equal(
            0, session.Run(
                [new QuickstartCommand()], "quickstart", "--data-root", data, "--runs", samples.Root, "--set", "train.epochs=2", "--seed",
                "2"));
        Assert.EndsWith($"report   {report}\n", session.Out);
        Assert.Matches(@"\nteacher .* kept\n", session.Out);
        Assert.Contains("quickstart-fsecd-s2", File.ReadAllText(report));
    }

    [Fact]
    public void Without_data_it_says_where_they_come_from()
    {
        var session = new Session();
        Assert.Equal(1, session.Run([new QuickstartCommand()], "quickstart", "--data-root", samples.At("none"), "--runs", samples.Root));
        Assert.Contains($"there is no folder '{samples.At("none")}'", session.Error);
        Assert.False(File.Exists(Path.Combine(samples.Root, "report.html")));
    }

    string FashionMnist(int train, int test)
    {
        var folder = Directory.CreateDirectory(samples.At("fashion")).FullName;
        foreach (var (name, count) in new[] { ("train", train), ("t10k", test) })
        {
            var pixels = new byte[count * 28 * 28];
            new Random(count).NextBytes(pixels);
            Write($"{name}-images-idx3-ubyte", pixels, count, 28, 28);
            Write($"{name}-labels-idx1-ubyte", [.. Enumerable.Range(0, count).Select(i => (byte)(i % 10))], count);
        }
        return folder;

        void Write(string file, byte[] elements, params int[] sizes)
        {
            var bytes = new byte[4 + 4 * sizes.Length + elements.Length];
            (bytes[2], bytes[3]) = (8, (byte)sizes.Length);
            for (var i = 0; i < sizes.Length; i++) BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + 4 * i), sizes[i]);
            elements.CopyTo(bytes, 4 + 4 * sizes.Length);
            File.WriteAllBytes(Path.Combine(folder, file), bytes);
        }
    }
}
