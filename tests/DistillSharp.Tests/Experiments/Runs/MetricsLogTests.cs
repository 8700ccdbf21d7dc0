using System.Text.Json;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Tests.Experiments.Runs;

public sealed class MetricsLogTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    string FilePath => folder["metrics.jsonl"];

    MetricsLog LogOf(params int[] epochs)
    {
        var log = new MetricsLog(FilePath);
        foreach (var epoch in epochs) log.Append(Sample.Epoch(epoch));
        return log;
    }

    [Fact]
    public void Each_epoch_is_one_json_object_on_one_line()
    {
        LogOf(1, 2);
        var lines = File.ReadAllLines(FilePath);
        Assert.Equal(2, lines.Length);
        using var json = JsonDocument.Parse(lines[1]);
        var top = json.RootElement;
        Assert.Equal(2, top.GetProperty("epoch").GetInt32());
        Assert.Equal(782, top.GetProperty("step").GetInt64());
        Assert.Equal(50, top.GetProperty("acc1").GetDouble());
        Assert.Equal(80, top.GetProperty("acc5").GetDouble());
        Assert.Equal(1.75, top.GetProperty("loss").GetDouble());
        Assert.Equal(1.25, top.GetProperty("terms").GetProperty("ce").GetDouble());
        Assert.Equal(0.05, top.GetProperty("lr").GetDouble());
        Assert.Equal(812.5, top.GetProperty("images_per_second").GetDouble());
        Assert.Equal(61.5, top.GetProperty("seconds").GetDouble());
    }

    [Fact]
    public void What_was_appended_is_read_back()
    {
        LogOf(1, 2, 3);
        var read = MetricsLog.Read(FilePath);
        Assert.Equal([1, 2, 3], read.Select(m => m.Epoch));
        Assert.Equal(Sample.Epoch(3) with { Terms = read[2].Terms }, read[2]);
        Assert.Equal(Sample.Epoch(3).Terms, read[2].Terms);
    }

    [Fact]
    public void Numbers_that_json_does_not_know_become_null_and_come_back_as_nan()
    {
        new MetricsLog(FilePath).Append(Sample.Epoch(1) with
        {
            Loss = double.NaN,
            Acc1 = null,
            Terms = new Dictionary<string, double> { ["kd"] = double.PositiveInfinity },
        });
        using (var json = JsonDocument.Parse(File.ReadAllText(FilePath)))
            Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("terms").GetProperty("kd").ValueKind);
        var read = Assert.Single(MetricsLog.Read(FilePath));
        Assert.True(double.IsNaN(read.Loss));
        Assert.Null(read.Acc1);
    }

    [Fact]
    public void Continuing_after_a_checkpoint_leaves_neither_gaps_nor_duplicates()
    {
        LogOf(1, 2, 3, 4, 5);
        var log = new MetricsLog(FilePath);
        var repair = log.ContinueAfter(3);
        Assert.Equal([1, 2, 3], repair.Kept.Select(m => m.Epoch));
        Assert.Equal(2, repair.Dropped);
        Assert.Empty(repair.Missing);
        log.Append(Sample.Epoch(4, acc1: 77));
        Assert.Equal([1, 2, 3, 4], MetricsLog.Read(FilePath).Select(m => m.Epoch));
        Assert.Equal(4, File.ReadAllLines(FilePath).Length);
        Assert.Equal(77, MetricsLog.Read(FilePath)[3].Acc1);
    }

    [Fact]
    public void Continuing_from_nothing_starts_over()
    {
        LogOf(1, 2);
        var log = new MetricsLog(FilePath);
        Assert.Equal(2, log.ContinueAfter(0).Dropped);
        log.Append(Sample.Epoch(1));
        Assert.Single(File.ReadAllLines(FilePath));
    }

    [Fact]
    public void Cut_anywhere_the_whole_lines_survive_and_the_log_goes_on()
    {
        LogOf(1, 2, 3);
        var whole = File.ReadAllBytes(FilePath);
        var lineEnds = whole.Select((b, i) => (b, i)).Where(x => x.b == '\n').Select(x => x.i + 1).ToArray();
        for (var cut = 0; cut <= whole.Length; cut += 7)
        {
            File.WriteAllBytes(FilePath, whole[..cut]);
            var lines = lineEnds.Count(e => e <= cut);
            // A last line that lacks nothing but its line end is whole.
            var expected = lineEnds.Count(e => e - 1 <= cut);
            var log = new MetricsLog(FilePath);
            Assert.InRange(MetricsLog.Read(FilePath).Count, lines, expected);
            var repair = log.ContinueAfter(lines);
            Assert.Equal(lines, repair.Kept.Count);
            log.Append(Sample.Epoch(lines + 1));
            Assert.Equal(lines + 1, File.ReadAllLines(FilePath).Length);
            Assert.Equal(Enumerable.Range(1, lines + 1), MetricsLog.Read(FilePath).Select(m => m.Epoch));
        }
    }

    [Fact]
    public void A_torn_line_is_written_over_by_the_next()
    {
        LogOf(1);
        File.AppendAllText(FilePath, "{\"epoch\":2,\"st");
        new MetricsLog(FilePath).Append(Sample.Epoch(2));
        Assert.Equal(2, File.ReadAllLines(FilePath).Length);
        Assert.Equal([1, 2], MetricsLog.Read(FilePath).Select(m => m.Epoch));
    }

    [Fact]
    public void Rubbish_and_duplicates_are_dropped_and_gaps_are_told()
    {
        LogOf(1, 2, 4);
        File.AppendAllText(FilePath, "not json\n" + File.ReadAllLines(FilePath)[1] + "\n[]\nnull\n");
        var repair = new MetricsLog(FilePath).ContinueAfter(4);
        Assert.Equal([1, 2, 4], repair.Kept.Select(m => m.Epoch));
        Assert.Equal([3], repair.Missing);
        Assert.Equal(4, repair.Dropped);
        Assert.Equal(3, File.ReadAllLines(FilePath).Length);
    }

    [Fact]
    public void An_epoch_that_is_not_later_is_refused()
    {
        var log = LogOf(1, 2);
        Assert.Throws<ArgumentException>(() => log.Append(Sample.Epoch(2)));
        Assert.Throws<ArgumentException>(() => new MetricsLog(FilePath).Append(Sample.Epoch(1)));
        Assert.Equal(2, File.ReadAllLines(FilePath).Length);
    }

    [Fact]
    public void A_line_that_cannot_be_written_is_kept_for_the_next_try()
    {
        var log = LogOf(1);
        File.Delete(FilePath);
        Directory.CreateDirectory(FilePath);
        Assert.Throws<UserException>(() => log.Append(Sample.Epoch(2)));
        Assert.Throws<UserException>(() => log.Append(Sample.Epoch(3)));
        Assert.Equal(2, log.Pending);
        Directory.Delete(FilePath);
        log.Append(Sample.Epoch(4));
        Assert.Equal([2, 3, 4], MetricsLog.Read(FilePath).Select(m => m.Epoch));
        Assert.Equal(0, log.Pending);
    }

    public const string FillRole = "fill-metrics";

    /// <summary>The child: appends epochs until one fails, and prints what the failure said.</summary>
    public static int Fill(string[] arguments)
    {
        var log = new MetricsLog(arguments[0]);
        for (var epoch = 1; epoch <= 1000; epoch++)
            try
            {
                log.Append(Sample.Epoch(epoch));
            }
            catch (UserException e)
            {
                Console.WriteLine(e.Message);
                return log.Pending == 1 ? 0 : 3;
            }
        return 4;
    }

    [Fact]
    public void A_write_that_fails_half_way_leaves_whole_lines()
    {
        // The kernel lets a process with a file size limit write up to the limit, then fails: as a disk does that fills up.
        // Without the switch the runtime itself would need larger files for its code.
        using var child = ChildProgram.StartIn("trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0; ulimit -f 4", FillRole, FilePath);
        var said = child.StandardOutput.ReadToEnd();
        Assert.True(child.WaitForExit(30_000));
        Assert.Equal(0, child.ExitCode);
        Assert.StartsWith($"cannot write {FilePath}: ", said);

        var text = File.ReadAllText(FilePath);
        Assert.EndsWith("}\n", text);
        Assert.InRange(text.Length, 2048, 4096);
        Assert.Equal(Enumerable.Range(1, text.Count(c => c == '\n')), MetricsLog.Read(FilePath).Select(m => m.Epoch));
    }
}
