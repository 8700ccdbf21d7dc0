namespace DistillSharp.Cli.Tests;

/// <summary>Tables at the widths of terminals: no word is cut in two, nothing is left out in silence.</summary>
public sealed class FittingTableTests : IDisposable
{
    readonly SampleRuns samples = new();

    public void Dispose() => samples.Dispose();

    static FittingTable Table()
    {
        var table =
            new FittingTable(
                new("run"), new("state"), new("Acc1 %", IsNumber: true), new("begun", Drop: 1), new("images/s", IsNumber: true, Drop: 2))
            {
                ForAll = "--csv has all"
            };
        table.Add("resnet56-resnet20-kd-s1", "finished", "71.20", "2026-01-02 03:04", "250");
        table.Add("resnet20-ce-s1", "running", "9.00", "2026-01-02 03:05", "1250");
        return table;
    }

    [Fact]
    public void Where_there_is_room_all_stands_in_lines() => Assert.Equal(
        [
            "run                      state     Acc1 %  begun             images/s",
            new('─', 69),
            "resnet56-resnet20-kd-s1  finished   71.20  2026-01-02 03:04       250",
            "resnet20-ce-s1           running     9.00  2026-01-02 03:05      1250",
        ], Table().Lines(69));

    [Fact]
    public void Columns_are_left_out_in_their_order_and_named()
    {
        Assert.Equal("run                      state     Acc1 %  images/s", Table().Lines(68)[0]);
        Assert.Equal("left out here: begun; --csv has all", Table().Lines(68)[^1]);
        Assert.Equal("run                      state     Acc1 %", Table().Lines(42)[0]);
        Assert.Equal(["left out here: begun, images/s; --csv has", "all"], Table().Lines(41).TakeLast(2));
    }

    [Fact]
    public void Where_even_those_that_stay_do_not_fit_rows_become_lines() => Assert.Equal(
        [
            "resnet56-resnet20-kd-s1", "  state finished", "  Acc1 % 71.20", "  begun 2026-01-02 03:04", "  images/s 250",
            "resnet20-ce-s1", "  state running", "  Acc1 % 9.00", "  begun 2026-01-02 03:05", "  images/s 1250",
        ], Table().Lines(30));

    [Theory]
    [InlineData("one two three", 8, "one two|three")]
    [InlineData("resnet32x4-shufflenet_v2-fsecd-s1", 20, "resnet32x4-|shufflenet_v2-fsecd-|s1")]
    [InlineData("unbreakable", 5, "unbreakable")]
    [InlineData("", 5, "")]
    public void Text_is_broken_at_spaces_and_behind_signs(string text, int width, string lines) =>
        Assert.Equal(lines.Split('|'), TextLines.Of(text, width));

    public static TheoryData<int, string[]> EveryTable()
    {
        var data = new TheoryData<int, string[]>();
        foreach (var width in new[] { 80, 40 })
            foreach (
                var command in new[] {
                    "runs list", "runs show resnet56-resnet20-kd-s1", "runs compare resnet20-ce-s1 resnet56-resnet20-kd-s1", "models" })
                data.Add(width, command.Split(' '));
        return data;
    }

    [Theory]
    [MemberData(nameof(EveryTable))]
    public void Every_table_fits_and_keeps_its_words(int width, string[] arguments)
    {
        samples.Add(SampleRuns.Distilled("ce", 1), 30, 40.5);
        samples.Add(SampleRuns.Distilled("kd", 1), 35, 45.25);
        string Shown(int columns)
        {
            var output = new StringWriter();
            var terminal = new Terminal(output, TextWriter.Null);
            terminal.StyledOut.Profile.Width = columns;
            string[] place = arguments[0] == "models" ? [] : ["--runs", samples.Root];
            Assert.Equal(0, new Application(terminal, CommandList.All()).Run([.. arguments, .. place]));
            return output.ToString();
        }
        static HashSet<string> Words(string text) => [.. text.Split([' ', '\n', '─', ',', ';'], StringSplitOptions.RemoveEmptyEntries)];

        var narrow = Shown(width).TrimEnd('\n').Split('\n');
        var whole = Words(Shown(500));
        // Paths and digests are longer than any terminal is wide, and have no place to break.
        Assert.All(narrow.Where(line => line.Trim().Contains(' ')), line => Assert.True(line.Length <= width, line));
        string[] ours = ["left", "out", "here:", "'distill", "runs", "list", "--csv'", "--json", "has", "all"];
        foreach (var word in Words(string.Join('\n', narrow)).Except(ours))
            Assert.True(
                whole.Contains(word)
                || whole.Any(long_ => long_.Length > width - 8 && long_.Contains(word, StringComparison.Ordinal)),
                $"'{word}' is a part of a word");
    }
}
