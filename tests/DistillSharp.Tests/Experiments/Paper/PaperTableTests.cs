using System.Globalization;
using System.Text.Json;
using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Tests.Experiments.Paper;

public class PaperTableTests
{
    static RunSummary Run(string method, long seed, double acc1, Func<RunManifest, RunManifest>? change = null,
        string teacher = "resnet56", string student = "resnet20", Dictionary<string, string>? settings = null, double? acc5 = 90)
    {
        var record = new RunManifest
        {
            Name = $"{teacher}-{student}-{method}-s{seed}", State = RunState.Finished, Dataset = "cifar100", TrainImages = 50_000,
            TestImages = 10_000, Teacher = teacher, TeacherDepartures = [], Student = student, Seed = seed, Epochs = 240,
            Precision = "fp32",
            Batch = method == "fsecd" ? 128 : 64, Methods = method == "ce" ? [] : [new(method, method == "fsecd" ? "instance" : null)],
        };
        record = change?.Invoke(record) ?? record;
        return new RunSummary(record, record.State, "/runs/" + record.Name,
            new SortedDictionary<string,
                string>(settings ?? [], StringComparer.Ordinal)
            { ["train.seed"] = seed.ToString(CultureInfo.InvariantCulture) },
            record.Epochs, acc1, acc5, acc1, record.Epochs, 800, 1000);
    }

    static PaperCell Cell(PaperTable table, string row, string column) =>
        table.Cells[table.Rows.ToList().IndexOf(row)][table.Columns.ToList().IndexOf(column)];

    /// <summary>The table rows of a Markdown table as cells.</summary>
    static string[][] MarkdownRows(string markdown) =>
        [.. markdown.Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal))
            .Select(l => l.Trim('|').Split('|').Select(c => c.Trim()).ToArray()).Skip(1)];

    [SharedFact]
    public void The_data_are_the_papers()
    {
        var ours = typeof(PaperResults).Assembly.GetManifestResourceStream("DistillSharp.Experiments.paper-tables.csv")!;
        var lines = new StreamReader(ours).ReadToEnd().Split('\n').Where(l => !l.StartsWith('#')).ToArray();
        Assert.Equal(File.ReadAllText(SharedFiles.Path("paper/tables.csv")).Split('\n'), lines);
    }

    [Fact]
    public void All_131_results_are_there()
    {
        Assert.Equal(131, PaperResults.All.Count);
        Assert.Equal([18, 54, 45, 14], PaperResults.Tables.Select(t => PaperResults.All.Count(r => r.Table == t)));
        Assert.Contains(new PaperResult(3, "cifar100", "resnet56", "resnet20", "fsecd", "instance", null, 71.39, null), PaperResults.All);
        Assert.Contains(
            new PaperResult(5, "imagenet", "resnet50", "mobilenet_v1", "fsecd", "instance", null, 72.19, 90.98), PaperResults.All);
    }

    [Theory]
    [InlineData(2, 18)]
    [InlineData(3, 54)]
    [InlineData(4, 45)]
    [InlineData(5, 28)]
    public void Every_cell_of_the_paper_is_printed_once_in_every_format(int number, int cells)
    {
        var table = PaperTable.Of(number, []);
        var values = PaperResults.All.Where(r => r.Table == number)
            .SelectMany(r => number == 5 ? new[] { r.Acc1, r.Acc5!.Value } : [r.Acc1])
                .Select(v => v.ToString("F2", CultureInfo.InvariantCulture)).Order().ToList();
        Assert.Equal(cells, values.Count);

        var rows = MarkdownRows(PaperTableWriter.Write(table, TableFormat.Md));
        var printed = rows.SelectMany(r => r.Skip(1).Where((_, i) => i % 2 == 0)).Order();
        Assert.Equal(values, printed);
        Assert.All(rows.SelectMany(r => r.Skip(1).Where((_, i) => i % 2 == 1)), ours => Assert.Equal("", ours));

        var csv = PaperTableWriter.Write(table, TableFormat.Csv).TrimEnd('\n').Split('\n');
        Assert.Equal(values, csv.Skip(1).Select(l => l.Split(',')[8]).Order());

        var tex = PaperTableWriter.Write(table, TableFormat.Tex);
        Assert.Equal(values, tex.Split('\n').Where(l => l.Contains(" & ") && !l.Contains("paper") && !l.Contains("multicolumn"))
            .SelectMany(l => l.Replace("\\\\", "").Split('&').Skip(1).Where((_, i) => i % 2 == 0)).Select(c => c.Trim()).Order());

        using var json = JsonDocument.Parse(PaperTableWriter.Write(table, TableFormat.Json));
        Assert.Equal(values, json.RootElement.GetProperty("cells").EnumerateArray()
            .Select(c => c.GetProperty("paper").GetDouble().ToString("F2", CultureInfo.InvariantCulture)).Order());
    }

    [Fact]
    public void The_layout_is_the_papers()
    {
        var table = PaperTable.Of(3, []);
        Assert.Equal(["CE", "KD", "FitNet", "AT", "RKD", "OFD", "CRD", "DKD", "FSECD"], table.Rows);
        Assert.Equal(["resnet56 → resnet20", "resnet110 → resnet32", "resnet32x4 → resnet8x4", "wrn_40_2 → wrn_16_2",
            "wrn_40_2 → wrn_40_1", "vgg13 → vgg8"], table.Columns);
        Assert.Equal("71.16", Cell(table, "CRD", "resnet56 → resnet20").PaperText);

        var second = PaperTable.Of(2, []);
        Assert.Equal(["batch 128", "batch 512", "batch 1024"], second.Columns);
        Assert.Equal("wrn_40_2 → wrn_40_1, FSECD (class-level)", second.Rows[1]);
        Assert.Equal("70.33", Cell(second, second.Rows[1], "batch 1024").PaperText);

        var fifth = PaperTable.Of(5, []);
        Assert.Equal(["resnet34 → resnet18 Acc1", "resnet34 → resnet18 Acc5"], fifth.Columns.Take(2));
        Assert.Equal("90.44", Cell(fifth, "FSECD", "resnet34 → resnet18 Acc5").PaperText);
    }

    [Fact]
    public void Ours_is_the_mean_and_the_sample_standard_deviation_over_seeds()
    {
        var table = PaperTable.Of(3, [Run("fsecd", 1, 71), Run("fsecd", 2, 72), Run("fsecd", 3, 70.5), Run("kd", 1, 70.125)]);
        var cell = Cell(table, "FSECD", "resnet56 → resnet20");
        Assert.Equal(71.1667, cell.Mean!.Value, 4);
        Assert.Equal(0.7638, cell.Spread!.Value, 4);
        Assert.Equal("71.17 ± 0.76 (3)", PaperTableWriter.Ours(cell));
        Assert.Equal("70.12 (1)", PaperTableWriter.Ours(Cell(table, "KD", "resnet56 → resnet20")));
        Assert.Equal("", PaperTableWriter.Ours(Cell(table, "KD", "vgg13 → vgg8")));
        Assert.Empty(table.Marks);
        Assert.DoesNotContain("†", PaperTableWriter.Write(table, TableFormat.Md));
    }

    public static TheoryData<string, Func<RunManifest, RunManifest>, string> Scaled => new()
    {
        { "epochs", r => r with { Epochs = 6 }, "6 epochs instead of 240" },
        { "one epoch", r => r with { Epochs = 1 }, "1 epoch instead of 240" },
        { "subset", r => r with { TrainImages = 5000 }, "5,000 of 50,000 training images" },
        { "unknown subset", r => r with { TrainImages = null }, "number of training images not recorded" },
        { "test subset", r => r with { TestImages = 1000 }, "1,000 of 10,000 test images" },
        { "batch", r => r with { Batch = 256 }, "batch 256 instead of 128" },
        { "unknown batch", r => r with { Batch = null }, "batch not recorded instead of 128" },
        { "precision", r => r with { Precision = "bf16" }, "precision bf16 instead of fp32" },
        { "data set", r => r with { Dataset = "fashion_mnist", TrainImages = 60_000 }, "data set fashion_mnist instead of cifar100" },
    };

    [Theory]
    [MemberData(nameof(Scaled))]
    public void A_departure_from_the_protocol_is_marked_in_the_cell_and_noted(
        string what, Func<RunManifest, RunManifest> change, string note)
    {
        Assert.NotEmpty(what);
        var table = PaperTable.Of(3, [Run("fsecd", 1, 56, change), Run("kd", 1, 70)]);
        Assert.Equal([note], table.Marks);
        var markdown = PaperTableWriter.Write(table, TableFormat.Md);
        Assert.Contains("| 56.00 (1) †1 |", markdown);
        Assert.Contains($"- †1 {note}", markdown);
        Assert.Contains("Not a reproduction", markdown);
        Assert.Contains("| 70.00 (1) |", markdown);

        var tex = PaperTableWriter.Write(table, TableFormat.Tex);
        Assert.Contains("$56.00$ (1)$^{\\dagger 1}$", tex);
        Assert.Contains(note.Replace("_", "\\_"), tex);
        var line = PaperTableWriter.Write(table, TableFormat.Csv).Split('\n').Single(l => l.Contains(",56,"));
        Assert.Contains(",no,", line);
        using var json = JsonDocument.Parse(PaperTableWriter.Write(table, TableFormat.Json));
        var ours = json.RootElement.GetProperty("cells").EnumerateArray().Select(c => c.GetProperty("ours"))
            .Single(o => o.ValueKind == JsonValueKind.Object && o.GetProperty("mean").GetDouble() == 56);
        Assert.False(ours.GetProperty("reproduction").GetBoolean());
        Assert.Equal(note, ours.GetProperty("departures")[0].GetString());
    }

    [Theory]
    [InlineData("train.lr", "0.1", "learning rate 0.1 instead of 0.05")]
    [InlineData("train.schedule.steps", "[3, 4]", "learning rate steps [3, 4] instead of [150, 180, 210]")]
    [InlineData("train.weight_decay", "0.0001", "weight decay 0.0001 instead of 0.0005")]
    [InlineData("data.augment", "[]", "augmentation [] instead of [crop, flip]")]
    public void So_is_a_departure_in_the_recipe(string path, string value, string note)
    {
        var table = PaperTable.Of(3, [Run("crd", 1, 60, settings: new() { [path] = value })]);
        Assert.Equal([note], table.Marks);
    }

    [Fact]
    public void A_recipe_that_follows_the_protocol_is_not_marked()
    {
        var settings = RecipeSettings.Of("""
            data: { set: cifar100, augment: [crop, flip] }
            methods: [ { name: dkd, temperature: 4 } ]
            train: { lr: 1e-2, momentum: .9, weight_decay: 5e-4, schedule: { steps: [150, 180, 210], factor: .1 } }
            """).ToDictionary();
        var table = PaperTable.Of(4, [Run("dkd", 1, 70, teacher: "vgg13", student: "mobilenet_v2_half", settings: settings)]);
        Assert.Empty(table.Marks);
        Assert.Equal(70, Cell(table, "DKD", "vgg13 → mobilenet_v2_half").Mean);
    }

    [Theory]
    [InlineData(3, "ce", "resnet56", "resnet20", "")]
    [InlineData(3, "kd", "resnet56", "resnet20", "")]
    [InlineData(3, "dkd", "resnet110", "resnet32", "")]
    [InlineData(3, "fsecd", "resnet32x4", "resnet8x4", "data.batch=128")]
    [InlineData(2, "fsecd", "resnet32x4", "resnet8x4", "data.batch=512")]
    public void A_recipe_that_leaves_the_protocol_to_the_defaults_is_not_marked(
        int number, string method, string teacher, string student, string set)
    {
        var recipe = Recipe.Parse(method == "ce" ? "" : $"teacher: {{ network: {teacher}, weights: t.pth }}\nmethods: [{method}]", "r",
            [.. (string[])["data.set=cifar100", $"student.network={student}", .. set.Split(' ', StringSplitOptions.RemoveEmptyEntries)]]);
        var record = RunManifest.Of(recipe) with
        {
            State = RunState.Finished,
            TrainImages = 50_000,
            TestImages = 10_000,
            Precision = "fp32",
            TeacherDepartures = [],
        };
        var run = new RunSummary(record, record.State, "", RecipeSettings.Of(recipe.Resolve()), 240, 70, 90, 70, 240, 800, 1000);
        var table = PaperTable.Of(number, [run]);
        Assert.Empty(table.Marks);
        Assert.Single(table.Cells.SelectMany(r => r), c => c.Ours is not null);

        var scaled = recipe.With("train.epochs=6", "train.lr=0.1");
        var other = run with { Manifest = record with { Epochs = 6 }, Settings = RecipeSettings.Of(scaled.Resolve()), EpochsDone = 6 };
        Assert.Equal(set == "data.batch=512" ? "6 epochs instead of 240" : "6 epochs instead of 240, learning rate 0.1 instead of 0.05",
            Assert.Single(PaperTable.Of(number, [other]).Marks));
    }

    [Theory]
    [InlineData("kd", "temperature: 2", "temperature 2 instead of 4")]
    [InlineData("kd", "temperature: 4, weight: 0.9", null)]
    [InlineData("dkd", "beta: 3", "beta 3 instead of 2")]
    [InlineData("dkd", "beta: 2, warmup: 20", null)]
    [InlineData("at", "weight: 10", "weight 10 instead of 1000")]
    [InlineData("crd", "negatives: 64", "negatives 64 instead of 16384")]
    [InlineData("fsecd", "temperature: 0.7, weight: 3", null)]
    public void Settings_of_a_method_other_than_the_published_ones_are_marked(string method, string settings, string? note)
    {
        var recipe =
            Recipe.Parse("data: { set: cifar100 }\nteacher: { network: resnet56, weights: t.pth }\nstudent: { network: resnet20 }\n"
            + $"methods: [{{ name: {method}, {settings} }}]", "r", method == "fsecd" ? ["data.batch=128"] : []);
        var record = RunManifest.Of(recipe) with
        {
            State = RunState.Finished,
            TrainImages = 50_000,
            TestImages = 10_000,
            Precision = "fp32",
            TeacherDepartures = [],
        };
        var table =
            PaperTable.Of(
                3, [new RunSummary(record, record.State, "", RecipeSettings.Of(recipe.Resolve()), 240, 70, 90, 70, 240, 800, 1000)]);
        Assert.Equal(note is null ? [] : [note], table.Marks);
        Assert.Single(table.Cells.SelectMany(r => r), c => c.Ours is not null);
    }

    [Fact]
    public void A_finished_run_with_too_few_epochs_cannot_pass()
    {
        var run = Run("kd", 1, 60) with { EpochsDone = 12 };
        Assert.Equal(["12 epochs instead of 240"], PaperTable.Of(3, [run]).Marks);
    }

    [Fact]
    public void Only_runs_that_differ_in_nothing_but_the_seed_are_averaged()
    {
        static RunManifest Short(RunManifest r) => r with { Epochs = 6, Name = r.Name + "-short" };
        var table =
            PaperTable.Of(
                3, [Run("kd", 1, 40, Short), Run("kd", 2, 41, Short), Run("kd", 3, 42, Short), Run("kd", 1, 70), Run("kd", 2, 71)]);
        var cell = Cell(table, "KD", "resnet56 → resnet20");
        Assert.Equal(70.5, cell.Mean);
        Assert.Equal(2, cell.Ours!.Runs.Count);
        Assert.Equal(3, cell.Ours.OtherRuns);
        Assert.Null(cell.Mark);
        Assert.Contains(table.Remarks, r => r.Contains("KD, resnet56 → resnet20: 3 more finished runs with other settings not shown"));
    }

    [Fact]
    public void A_seed_run_twice_counts_once()
    {
        var later = Run("kd", 1, 70.5) with { };
        later = later with { Manifest = later.Manifest with { Created = DateTimeOffset.UnixEpoch.AddDays(1), Name = "again" } };
        var cell = Cell(PaperTable.Of(3, [Run("kd", 1, 70), later]), "KD", "resnet56 → resnet20");
        Assert.Equal(["again"], cell.Ours!.Runs);
        Assert.Null(cell.Spread);
    }

    [Fact]
    public void Runs_that_belong_elsewhere_do_not_appear()
    {
        var table = PaperTable.Of(3,
        [
            Run("fsecd", 1, 50, r => r with { Methods = [new("fsecd", "class")] }),
            Run("kd", 1, 51, r => r with { Methods = [new("kd"), new("crd")] }),
            Run("kd", 1, 52, teacher: "resnet110"),
            Run("kd", 1, 53, student: "resnet14"),
            Run("kd", 1, 54, r => r with { State = RunState.Interrupted, Name = "cut-off" }),
        ]);
        Assert.All(table.Cells.SelectMany(r => r), c => Assert.Null(c.Ours));
        Assert.Contains(table.Remarks, r => r.Contains("cut-off (interrupted)"));
    }

    [Fact]
    public void Cross_entropy_belongs_to_the_student_whatever_the_teacher()
    {
        var table = PaperTable.Of(4, [Run("ce", 1, 70, r => r with { Teacher = null }, student: "shufflenet_v1")]);
        Assert.Equal(70, Cell(table, "CE", "resnet32x4 → shufflenet_v1").Mean);
        Assert.Equal(70, Cell(table, "CE", "wrn_40_2 → shufflenet_v1").Mean);
    }

    [Fact]
    public void Table_2_puts_runs_by_batch_and_policy()
    {
        static RunSummary At(string policy, int batch, double acc) => Run("fsecd", 1, acc,
            r => r with { Batch = batch, Methods = [new("fsecd", policy)] }, "resnet32x4", "resnet8x4", new() { ["train.lr"] = "0.4" });
        var table = PaperTable.Of(2, [At("class", 512, 72), At("instance", 1024, 74), At("instance", 100, 75)]);
        Assert.Equal("72.00 (1) ‡1", PaperTableWriter.Ours(Cell(table, "resnet32x4 → resnet8x4, FSECD (class-level)", "batch 512")));
        Assert.Equal("74.00 (1) ‡1",
            PaperTableWriter.Ours(Cell(table, "resnet32x4 → resnet8x4, FSECD (instance-level)", "batch 1024")));
        Assert.Equal(2, table.Cells.SelectMany(r => r).Count(c => c.Ours is not null));
    }

    [Fact]
    public void Table_5_shows_both_accuracies()
    {
        var table = PaperTable.Of(5, [Run("kd", 1, 70, r => r with
        {
            Dataset = "imagenet", TrainImages = 1_281_167, TestImages = 50_000, Epochs = 100, Batch = 256,
        }, "resnet34", "resnet18", acc5: 89.5)]);
        Assert.Equal("70.00 (1) †1", PaperTableWriter.Ours(Cell(table, "KD", "resnet34 → resnet18 Acc1")));
        Assert.Equal("89.50 (1) †1", PaperTableWriter.Ours(Cell(table, "KD", "resnet34 → resnet18 Acc5")));
        Assert.Equal(["a teacher trained here instead of torchvision's"], table.Marks);
    }

    [Fact]
    public void A_teacher_without_a_card_is_marked()
    {
        static RunManifest Unknown(RunManifest r) => r with { TeacherDepartures = null };
        var table = PaperTable.Of(3,
        [
            Run("kd", 1, 70, r => Unknown(r) with { TeacherAcc1 = 72.34, TeacherImages = 1000 }), Run("dkd", 1, 71, Unknown),
                Run("crd", 1, 71),
            Run("ce", 1, 69, r => r with { Teacher = null, TeacherDepartures = null }),
        ]);
        Assert.Equal(["a teacher of unknown training, Acc1 72.3 %", "a teacher of unknown training"], table.Marks);
        Assert.Equal("70.00 (1) †1", PaperTableWriter.Ours(Cell(table, "KD", "resnet56 → resnet20")));
        Assert.Equal("71.00 (1)", PaperTableWriter.Ours(Cell(table, "CRD", "resnet56 → resnet20")));
        Assert.Equal("69.00 (1)", PaperTableWriter.Ours(Cell(table, "CE", "resnet56 → resnet20")));
        // A seed with such a teacher is not averaged with one whose teacher is known.
        var mixed = PaperTable.Of(3, [Run("kd", 1, 70, Unknown), Run("kd", 2, 72)]);
        Assert.Equal("72.00 (1)", PaperTableWriter.Ours(Cell(mixed, "KD", "resnet56 → resnet20")));
    }

    [Fact]
    public void Settings_that_the_paper_does_not_publish_stand_at_the_cell()
    {
        Dictionary<string, string> settings = new()
        {
            ["methods[0].name"] = "fsecd", ["methods[0].policy"] = "instance", ["methods[0].temperature"] = "0.1", ["train.lr"] = "0.05",
        };
        var table =
            PaperTable.Of(3, [Run("fsecd", 1, 71, settings: settings), Run("kd", 1, 70, settings: new() { ["train.lr"] = "0.05" })]);
        Assert.Equal(["policy instance, temperature 0.1, learning rate 0.05"], table.Settings);
        Assert.Equal("71.00 (1) ‡1", PaperTableWriter.Ours(Cell(table, "FSECD", "resnet56 → resnet20")));
        Assert.Equal("70.00 (1)", PaperTableWriter.Ours(Cell(table, "KD", "resnet56 → resnet20")));
        Assert.Contains("- ‡1 policy instance, temperature 0.1, learning rate 0.05\n", PaperTableWriter.Write(table, TableFormat.Md));
        var tex = PaperTableWriter.Write(table, TableFormat.Tex);
        Assert.Contains("$71.00$ (1)$^{\\ddagger 1}$", tex);
        Assert.Contains("$^{\\ddagger 1}$ policy instance, temperature 0.1, learning rate 0.05\\par", tex);
        Assert.EndsWith(
            ",\"policy instance, temperature 0.1, learning rate 0.05\"",
            PaperTableWriter.Write(table, TableFormat.Csv).Split('\n').Single(l => l.Contains(",71,")));
        Assert.Contains(
            "\"settings\": \"policy instance, temperature 0.1, learning rate 0.05\"",
            PaperTableWriter.Write(table, TableFormat.Json).Replace("\":\"", "\": \""));
    }

    [Fact]
    public void The_plain_remarks_stand_under_every_table_in_every_text_form()
    {
        foreach (var number in PaperResults.Tables)
            foreach (var format in (TableFormat[])[TableFormat.Md, TableFormat.Tex, TableFormat.Json])
            {
                var text = PaperTableWriter.Write(PaperTable.Of(number, []), format);
                Assert.Contains("CRD paper's benchmark (batch 64, 240 epochs)", text);
                Assert.Contains("marked by the paper as re-run", text);
                Assert.Contains("the DKD row may hold best-epoch values", text);
                Assert.Contains("(73.26)", text);
                Assert.Contains("half-width CIFAR variant", text);
                Assert.Contains("10.12141/j.issn.1000-565X.220684", text);
            }
    }

    [Fact]
    public void Another_table_is_refused()
    {
        Assert.Contains("2, 3, 4, 5", Assert.Throws<UsageException>(() => PaperTable.Of(1, [])).Message);
    }
}
