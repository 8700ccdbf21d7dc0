using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Tests.Experiments.Sweeps;

public class SweepTests
{
    const string Small = """
        pairs: [resnet56-resnet20, { teacher: resnet110, student: resnet32, weights: "my teachers/r110.pth" }]
        teachers: kept/{teacher}.safetensors
        methods: [ce, kd, { name: fsecd, temperature: 0.2, set: { data.batch: 128 } }]
        seeds: [1, 2]
        set: { data.set: cifar100, train: { epochs: 5, lr: 0.1 } }
        """;

    [Fact]
    public void The_documentations_sweep_is_one()
    {
        var page = System.IO.File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "tables.md"));
        var example =
            page.Split("\n\n").First(block => block.StartsWith("    pairs:", StringComparison.Ordinal)).Replace("\n    ", "\n").Trim();
        // The file that it names as the common recipe is the reader's own.
        var runs =
            Sweep.Parse(string.Join('\n', example.Split('\n').Where(line => !line.StartsWith("recipe:", StringComparison.Ordinal)))).Runs;
        Assert.Equal(2 * 3 * 3 * 2, runs.Count);
        Assert.Contains(runs, run => run.Name == "resnet110-resnet32-fsecd-w3-lr0.1-s3");
    }

    [Fact]
    public void A_sweep_is_the_product_of_pairs_methods_and_seeds()
    {
        var runs = Sweep.Parse(Small).Runs;
        Assert.Equal(
        [
            "resnet20-ce-s1", "resnet20-ce-s2", "resnet56-resnet20-kd-s1", "resnet56-resnet20-kd-s2", "resnet56-resnet20-fsecd-s1",
            "resnet56-resnet20-fsecd-s2", "resnet32-ce-s1", "resnet32-ce-s2", "resnet110-resnet32-kd-s1", "resnet110-resnet32-kd-s2",
            "resnet110-resnet32-fsecd-s1", "resnet110-resnet32-fsecd-s2",
        ], runs.Select(r => r.Name));
        Assert.Equal(12, runs.Select(r => r.Digest).Distinct().Count());

        var fsecd = runs.Single(r => r.Name == "resnet56-resnet20-fsecd-s2").Recipe;
        Assert.Equal("kept/resnet56.safetensors", fsecd.Teacher!.Members[0].Weights);
        Assert.Equal("0.2", fsecd.Methods.Single().Settings["temperature"]);
        Assert.Equal((128, 5, 2L, 0.1), (fsecd.Data.Batch, fsecd.Train.Epochs, fsecd.Train.Seed, fsecd.Train.Schedule.BaseRate));
        Assert.Equal(64, runs.Single(r => r.Name == "resnet56-resnet20-kd-s2").Recipe.Data.Batch);
        Assert.Equal("my teachers/r110.pth", runs.Single(r => r.Name == "resnet110-resnet32-kd-s1").Recipe.Teacher!.Members[0].Weights);
        Assert.Null(runs[0].Recipe.Teacher);
        Assert.Empty(runs[0].Recipe.Methods);
    }

    [Fact]
    public void Cross_entropy_is_trained_once_for_pairs_of_one_student()
    {
        var runs = Sweep.Parse("{ pairs: [resnet56-resnet20, resnet110-resnet20], methods: [ce, kd], set: { data.set: cifar100 } }").Runs;
        Assert.Equal(["resnet20-ce-s1", "resnet56-resnet20-kd-s1", "resnet110-resnet20-kd-s1"], runs.Select(r => r.Name));
    }

    [Fact]
    public void Any_setting_can_vary_and_overrides_go_before_all()
    {
        var runs = Sweep.Parse("""
            pairs: [resnet56-resnet20]
            methods: [kd]
            set: { data.set: cifar100, train.epochs: 240 }
            vary: { data.batch: [64, 128], train.schedule: [cosine, { steps: [3], factor: 0.5 }] }
            """, "s.yaml", "train.epochs=6").Runs;
        Assert.Equal(4, runs.Count);
        Assert.Equal("resnet56-resnet20-kd-batch64-schedulecosine-s1", runs[0].Name);
        Assert.All(runs, r => Assert.Equal(6, r.Recipe.Train.Epochs));
        Assert.All(runs, r => RunName.Check(r.Name));
        Assert.Equal([64, 64, 128, 128], runs.Select(r => r.Recipe.Data.Batch));
    }

    [Fact]
    public void A_whole_table_of_the_paper_is_a_sweep()
    {
        var runs =
            Sweep.Parse("{ recipes: [table3/resnet*, table2/resnet32x4-resnet8x4/fsecd-*], seeds: [1, 2], set: { train.epochs: 6 } }").Runs;
        // Three pairs by nine methods, and of table 2's six the one at batch 128 and instance level is table 3's.
        Assert.Equal((3 * 9 + 5) * 2, runs.Count);
        Assert.Equal(runs.Count, runs.Select(r => r.Name).Distinct().Count());
        Assert.Contains("resnet32x4-resnet8x4-fsecd-class-b512-s2", runs.Select(r => r.Name));
        Assert.Contains("resnet20-ce-s1", runs.Select(r => r.Name));
        Assert.All(runs, r => Assert.Equal(6, r.Recipe.Train.Epochs));
        Assert.Equal(
            2, Sweep.Parse(
                "{ recipes: [table4/resnet32x4-shufflenet_v1/ce, table4/wrn_40_2-shufflenet_v1/ce], seeds: [1, 2] }").Runs.Count);
    }

    [Fact]
    public void A_base_recipe_is_what_all_runs_share()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["base.yaml"], """
            data: { set: cifar10, batch: 50 }
            teacher: { network: resnet56, weights: x.pth }
            student: { network: resnet8 }
            methods: [kd]
            """);
        File.WriteAllText(
            folder["sweep.yaml"], $"{{ recipe: \"{folder["base.yaml"]}\", pairs: [resnet56-resnet20], methods: [ce, fsecd] }}");
        var runs = Sweep.Load(folder["sweep.yaml"]).Runs;
        Assert.All(
            runs, r => Assert.Equal(("cifar10", 50, "resnet20"), (r.Recipe.Data.Set, r.Recipe.Data.Batch, r.Recipe.Student.Network)));
        Assert.Equal("fsecd", runs[1].Recipe.Methods.Single().Name);
    }

    [Fact]
    public void Labels_tell_variants_of_a_method_apart()
    {
        const string form =
            "{{ pairs: [resnet56-resnet20], methods: [fsecd, {{ name: fsecd, policy: class{0} }}], set: {{ data.set: cifar100 }} }}";
        var runs = Sweep.Parse(string.Format(null, form, ", label: fsecd-class")).Runs;
        Assert.Equal(["resnet56-resnet20-fsecd-s1", "resnet56-resnet20-fsecd-class-s1"], runs.Select(r => r.Name));
        Assert.Equal(["instance", "class"], runs.Select(r => RunManifest.Of(r.Recipe).Methods[0].Policy));
        Assert.Contains("label", Assert.Throws<UsageException>(() => Sweep.Parse(string.Format(null, form, ""))).Message);
    }

    [Theory]
    [InlineData("", "s.yaml:1: the sweep has no pairs")]
    [InlineData("pairs: [resnet56-resnet20]", "s.yaml:1: the sweep has no methods")]
    [InlineData("pairs: []\nmethods: [kd]", "s.yaml:1: pairs is a list with at least one entry")]
    [InlineData("pairs: [resnet56-resnet20]\nmethods: [kd]\nsedes: [1]", "s.yaml:3: a sweep has no 'sedes'; did you mean 'seeds'?")]
    [InlineData("pairs: [resnet56]\nmethods: [kd]", "s.yaml:1: 'resnet56' is no pair")]
    [InlineData("pairs: [{ teacher: resnet56 }]\nmethods: [kd]", "s.yaml:1: the pair has no student")]
    [InlineData("pairs: [resnet56-resnet20]\nmethods: [kd]\nseeds: [-1]", "s.yaml:3: a seed is a whole number")]
    [InlineData("pairs: [resnet56-resnet20]\nmethods: [kd]\nvary: { data.batch: 64 }", "s.yaml:3: vary.data.batch is a list of values")]
    [InlineData("pairs: [resnet56-resnet20]\nmethods: [kd]\nset: 5", "s.yaml:3: set is settings with values")]
    [InlineData("pairs: [resnet56-resnet20]\nmethods: [kd]", "s.yaml, resnet56-resnet20-kd: ")]
    [InlineData("pairs: [resnet56-resnet21]\nmethods: [kd]\nset: { data.set: cifar100 }", "resnet21")]
    [InlineData("pairs: [resnet56-resnet20]\nmethods: [kdd]\nset: { data.set: cifar100 }", "kdd")]
    [InlineData(
        "pairs: [resnet56-resnet20]\nmethods: [{ name: ce, weight: 2 }]\nset: { data.set: cifar100 }", "s.yaml:2: ce has no settings")]
    [InlineData("pairs: [", "s.yaml:")]
    [InlineData("recipes: [table3/*]\npairs: [resnet56-resnet20]", "s.yaml:2: a sweep has either recipes or pairs and methods")]
    [InlineData("recipes: [table9/*]", "s.yaml:1: no recipe of the paper is named as 'table9/*'")]
    [InlineData("[1]", "s.yaml:1: a sweep is keys with values")]
    public void A_mistake_is_named_with_its_place(string text, string says)
    {
        var error = Assert.Throws<UsageException>(() => Sweep.Parse(text, "s.yaml"));
        Assert.Contains(says, error.Message);
    }

    [Fact]
    public void A_sweep_cannot_explode()
    {
        var many = string.Join(", ", Enumerable.Range(1, 300));
        Assert.Contains("more than 10000 runs", Assert.Throws<UsageException>(() => Sweep.Parse(
            $"{{ pairs: [a-b], methods: [kd], vary: {{ x.a: [{many}], x.b: [{many}], x.c: [{many}], x.d: [{many}] }} }}")).Message);
    }

    [Fact]
    public void A_missing_file_gives_one_sentence() =>
        Assert.Contains("cannot read the sweep 'no/such.yaml'", Assert.Throws<UserException>(() => Sweep.Load("no/such.yaml")).Message);
}
