using System.Text.Json;
using DistillSharp.Cli.Commands;

namespace DistillSharp.Cli.Tests;

public sealed class TableCommandTests : IDisposable
{
    readonly SampleRuns samples = new();

    public void Dispose() => samples.Dispose();

    (int Code, string Out, string Error) Run(params string[] arguments)
    {
        var session = new Session();
        return (session.Run([new TableCommand()], ["table", .. arguments, "--runs", samples.Root]), session.Out, session.Error);
    }

    [Fact]
    public void Ours_stand_beside_the_papers()
    {
        samples.Add(SampleRuns.Distilled("kd", 1), 35, 45);
        samples.Add(SampleRuns.Distilled("kd", 2), 36, 47);
        samples.Add(SampleRuns.Distilled("fsecd", 1), 30, 40.5);
        var (code, output, error) = Run("3");
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("**Table 3. ", output);
        Assert.Contains("| KD | 70.66 | 46.00 ± 1.41 (2) †1 | 73.08 |  |", output);
        Assert.Matches(@"\| FSECD[^|]*\| 71.39 \| 40.50 \(1\) †\d ‡1 \|", output);
        Assert.Contains("**Not a reproduction:", output);
        Assert.Contains("2 epochs instead of 240", output);
        Assert.Contains("500 of 50,000 training images", output);
        Assert.Contains("the DKD row is marked by the paper as re-run", output);
    }

    [Fact]
    public void What_was_published_elsewhere_stands_apart_from_the_papers_tables()
    {
        samples.Add(SampleRuns.Distilled("kd", 1), 35, 45);
        var (code, output, error) = Run("cifar100");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("| KD standardized | sun2024 | best |", output);
        Assert.Matches(@"\n\| KD \| tian2020 \| last \|.*\| 70.66 \| 45.00 \(1\) † \|", output);
        Assert.Contains("- chen2022: Chen, Mei, Zhang", output);
        Assert.Contains("no part of the paper's tables", output);

        var cells = JsonDocument.Parse(Run("cifar100", "--format", "json").Out).RootElement.GetProperty("cells").EnumerateArray().ToArray();
        Assert.Equal(cells.Length + 1, Run("cifar100", "--format", "csv").Out.TrimEnd('\n').Split('\n').Length);
        // What people compare with, resnet32x4 to resnet8x4.
        var published = cells.Where(cell => cell.GetProperty("student").GetString() == "resnet8x4").ToLookup(
            cell => $"{cell.GetProperty("method").GetString()} {cell.GetProperty("standardize").GetBoolean()}", cell =>
                cell.GetProperty("published").GetDouble());
        foreach (var (key, value) in new[]
                 {
                     ("kd False", 73.33), ("crd False", 75.51), ("reviewkd False", 75.63), ("dkd False", 76.32), ("dist False", 76.31),
                     ("kd True", 76.62), ("dkd True", 77.01), ("simkd False", 78.08),
                 })
            Assert.Equal([value], published[key]);
        Assert.All(cells, cell => Assert.Contains(cell.GetProperty("epoch").GetString(), new[] { "last", "best", "not said" }));
    }

    [Fact]
    public void Every_form_is_written_also_without_runs()
    {
        foreach (var (number, cells) in new[] { ("2", 18), ("3", 54), ("4", 45), ("5", 28) })
        {
            Assert.Equal(cells, JsonDocument.Parse(Run(number, "--format", "json").Out).RootElement.GetProperty("cells").GetArrayLength());
            Assert.Equal(cells + 1, Run(number, "--format", "csv").Out.TrimEnd('\n').Split('\n').Length);
            Assert.Contains("\\begin{tabular}", Run(number, "--format", "tex").Out);
        }
        Assert.False(Directory.Exists(samples.Root));
    }

    [Theory]
    [InlineData("there is no table 1; the paper's tables of results are 2, 3, 4, 5\n", "1")]
    [InlineData("there is no table 'three'; there are 2, 3, 4, 5 of the paper, and cifar100\n", "three")]
    [InlineData("the table cifar100 is written as md, csv or json, not as tex\n", "cifar100", "--format", "tex")]
    [InlineData("--format takes one of md, csv, tex, json, not 'html'\n", "3", "--format", "html")]
    [InlineData("'distill table' needs TABLE ('distill table --help' shows its use)\n")]
    public void Wrong_use_exits_with_2(string says, params string[] arguments)
    {
        var (code, output, error) = Run(arguments);
        Assert.Equal((2, "", "distill: " + says), (code, output, error));
    }
}
