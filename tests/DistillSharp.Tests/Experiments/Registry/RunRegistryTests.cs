using System.Text.Json;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Tests.Experiments.Registry;

public sealed class RunRegistryTests : IDisposable
{
    readonly TemporaryFolder root = new();

    public void Dispose() => root.Dispose();

    RunReader Finished(RunManifest record, string recipe, params double[] accuracies)
    {
        using var run = RunFolder.Create(root.Path, record, recipe);
        for (var i = 0; i < accuracies.Length; i++) run.Metrics.Append(Sample.Epoch(i + 1, accuracies[i]));
        run.SetState(RunState.Finished);
        return RunReader.Load(run.Path);
    }

    static string With(string path, string value) => Sample.Recipe.Replace(path, value);

    [Fact]
    public void A_listed_run_says_what_its_folder_says()
    {
        using var registry = RunRegistry.Open(root.Path);
        var stored = Finished(Sample.Manifest(), Sample.Recipe, 40, 60.5, 59.25);
        registry.Record(stored);

        var listed = Assert.Single(registry.List(RunFilter.All));
        var expected = RunSummary.Of(stored);
        Assert.Equal(expected with { Manifest = listed.Manifest, Settings = listed.Settings }, listed);
        Assert.Equal(expected.Settings, listed.Settings);
        Assert.Equal(expected.Manifest with { Methods = listed.Manifest.Methods }, listed.Manifest);
        Assert.Equal(
            (59.25, 89.25, 60.5, 2, 3), (listed.FinalAcc1, listed.FinalAcc5, listed.BestAcc1, listed.BestEpoch, listed.EpochsDone));
        Assert.Equal(812.5, listed.ImagesPerSecond);
        Assert.Equal(3 * 61.5, listed.Seconds);
        Assert.Equal("128", listed.Settings["data.batch"]);

        var metrics = registry.Metrics(stored.Manifest.Name);
        Assert.Equal([40, 60.5, 59.25], metrics.Select(m => m.Acc1!.Value));
        Assert.Equal(stored.Metrics[2].Terms, metrics[2].Terms);
        Assert.Equal(stored.Metrics[2] with { Terms = metrics[2].Terms }, metrics[2]);
    }

    [Fact]
    public void The_best_epoch_is_the_first_of_equals_and_epochs_without_evaluation_do_not_count()
    {
        using var registry = RunRegistry.Open(root.Path);
        using var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);
        run.Metrics.Append(Sample.Epoch(1, 50));
        run.Metrics.Append(Sample.Epoch(2, 50));
        run.Metrics.Append(Sample.Epoch(3) with { Acc1 = null, Acc5 = null, Loss = double.NaN });
        var stored = RunReader.Load(run.Path);
        registry.Record(stored);
        foreach (var summary in (RunSummary[])[registry.Find(run.Name)!, RunSummary.Of(stored)])
            Assert.Equal((50, 50, 1, 3), (summary.FinalAcc1, summary.BestAcc1, summary.BestEpoch, summary.EpochsDone));
        Assert.True(double.IsNaN(registry.Metrics(run.Name)[2].Loss));
    }

    [Fact]
    public void Filters_choose()
    {
        using var registry = RunRegistry.Open(root.Path);
        registry.Record(Finished(Sample.Manifest("a"), Sample.Recipe, 50));
        registry.Record(Finished(Sample.Manifest("b") with { Methods = [], Teacher = null, Seed = 2 }, With("seed: 1", "seed: 2"), 51));
        registry.Record(
            Finished(
                Sample.Manifest("c") with { Dataset = "cifar10", Methods = [new("kd"), new("crd")] }, With("epochs: 3", "epochs: 30"), 52));
        using (var running = RunFolder.Create(root.Path, Sample.Manifest("d-running"), Sample.Recipe))
        {
            registry.Record(RunReader.Load(running.Path));
            Assert.Equal(["d-running"], Names(new() { State = RunState.Running }));
        }

        Assert.Equal(["d-running"], Names(new() { State = RunState.Interrupted }));
        Assert.Equal(["a", "b", "c"], Names(new() { State = RunState.Finished }));
        Assert.Equal(["c"], Names(new() { Dataset = "cifar10" }));
        Assert.Equal(["b"], Names(new() { Method = "ce" }));
        Assert.Equal(["c"], Names(new() { Method = "kd+crd" }));
        Assert.Equal(["b"], Names(new() { Seed = 2 }));
        Assert.Equal(["a", "c", "d-running"], Names(new() { Teacher = "resnet56", Student = "resnet20" }));
        Assert.Equal(["d-running"], Names(new() { NameContains = "RUN" }));
        Assert.Equal(["c"], Names(new() { Settings = new Dictionary<string, string> { ["train.epochs"] = "3e1" } }));
        Assert.Equal(["b"], Names(new() { Settings = new Dictionary<string, string> { ["train.epochs"] = "3", ["train.seed"] = "2" } }));
        Assert.Empty(Names(new() { Settings = new Dictionary<string, string> { ["train.epochs"] = "' or 1=1 --" } }));
        Assert.Equal(["a", "d-running"], Names(new() { Digest = RecipeDigest.Of(Sample.Recipe)[..12].ToUpperInvariant() }));

        IEnumerable<string> Names(RunFilter filter) => registry.List(filter).Select(r => r.Name).Order();
    }

    [Fact]
    public void Recording_again_replaces()
    {
        using var registry = RunRegistry.Open(root.Path);
        using var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);
        registry.Record(RunReader.Load(run.Path));
        foreach (var epoch in (int[])[1, 2, 3]) registry.Record(run.Name, Sample.Epoch(epoch));
        registry.Record(run.Name, Sample.Epoch(3, acc1: 99));
        Assert.Equal([50, 50, 99], registry.Metrics(run.Name).Select(m => m.Acc1!.Value));

        run.SetState(RunState.Failed, "it broke");
        registry.Update(run.Manifest);
        Assert.Equal("it broke", registry.Find(run.Name)!.Manifest.Failure);
        Assert.Equal([1, 2, 3], registry.Metrics(run.Name).Select(m => m.Epoch));
    }

    [Fact]
    public void An_unknown_run_is_named()
    {
        using var registry = RunRegistry.Open(root.Path);
        Assert.Contains("'nobody'", Assert.Throws<UserException>(() => registry.Record("nobody", Sample.Epoch(1))).Message);
        Assert.Contains("runs rebuild", Assert.Throws<UserException>(() => registry.Update(Sample.Manifest("nobody"))).Message);
        Assert.Contains("'nobody'", Assert.Throws<UserException>(() => registry.Remove("nobody")).Message);
        Assert.Null(registry.Find("nobody"));
        registry.Record(Finished(Sample.Manifest(), Sample.Recipe, 50));
        var error = Assert.Throws<UserException>(() => registry.Compare(["resnet20-fsecd"]));
        Assert.Contains("there is 'resnet56-resnet20-fsecd-s1'", error.Message);
    }

    [Fact]
    public void A_comparison_shows_the_settings_that_differ()
    {
        using var registry = RunRegistry.Open(root.Path);
        registry.Record(Finished(Sample.Manifest("a"), Sample.Recipe, 50));
        registry.Record(Finished(Sample.Manifest("b"), With("batch: 128", "batch: 64") + "\n  lr: 5e-2", 60));
        var comparison = registry.Compare(["b", "a"]);
        Assert.Equal(["b", "a"], comparison.Runs.Select(r => r.Name));
        Assert.Equal(["data.batch", "train.lr"], comparison.Differences.Select(d => d.Path));
        Assert.Equal(["64", "128"], comparison.Differences[0].Values);
        Assert.Equal(["0.05", null], comparison.Differences[1].Values);
        Assert.True(comparison.SameMachine);

        using var json = JsonDocument.Parse(RunExport.ToJson(comparison));
        Assert.Equal("64", json.RootElement.GetProperty("differences").GetProperty("data.batch")[0].GetString());
        Assert.Equal(60, json.RootElement.GetProperty("runs")[0].GetProperty("acc1").GetDouble());
    }

    [Fact]
    public void Removing_takes_the_folder_too_but_never_a_run_at_work()
    {
        using var registry = RunRegistry.Open(root.Path);
        registry.Record(Finished(Sample.Manifest("a"), Sample.Recipe, 50));
        registry.Remove("a");
        Assert.False(Directory.Exists(root["a"]));
        Assert.Empty(registry.List(RunFilter.All));
        Assert.Empty(registry.Metrics("a"));

        using var run = RunFolder.Create(root.Path, Sample.Manifest("b"), Sample.Recipe);
        registry.Record(RunReader.Load(run.Path));
        Assert.Contains($"process {Environment.ProcessId};", Assert.Throws<UserException>(() => registry.Remove("b")).Message);
        Assert.Single(registry.List(RunFilter.All));

        Directory.CreateDirectory(root["precious"]);
        Assert.Throws<UserException>(() => registry.Remove("precious"));
        Assert.Throws<UsageException>(() => registry.Remove("../" + Path.GetFileName(root.Path)));
        Assert.True(Directory.Exists(root["precious"]));
    }

    [Fact]
    public void A_missing_file_is_filled_from_the_folders()
    {
        Finished(Sample.Manifest("a"), Sample.Recipe, 40, 50);
        Finished(Sample.Manifest("b"), Sample.Recipe, 60);
        using var registry = RunRegistry.Open(root.Path);
        Assert.Equal(["a", "b"], registry.List(RunFilter.All).Select(r => r.Name));
        Assert.Equal(50, registry.Find("a")!.FinalAcc1);
    }

    [Fact]
    public void Rebuilding_brings_the_registry_back_to_the_folders()
    {
        using (var registry = RunRegistry.Open(root.Path))
        {
            registry.Record(Finished(Sample.Manifest("a"), Sample.Recipe, 40, 50));
            registry.Record(Finished(Sample.Manifest("gone"), Sample.Recipe, 40));
            registry.Record("a", Sample.Epoch(9));
        }
        Directory.Delete(root["gone"], recursive: true);
        Finished(Sample.Manifest("new"), Sample.Recipe, 70);
        Directory.CreateDirectory(root["broken"]);
        File.WriteAllText(root["broken/run.json"], "{");
        Directory.CreateDirectory(root["no-run"]);

        var report = RunRegistry.Rebuild(root.Path);
        Assert.Equal(2, report.Runs);
        Assert.Contains(root["broken/run.json"], Assert.Single(report.Problems));
        using var after = RunRegistry.Open(root.Path);
        Assert.Equal(["a", "new"], after.List(RunFilter.All).Select(r => r.Name));
        Assert.Equal([1, 2], after.Metrics("a").Select(m => m.Epoch));
    }

    [Theory]
    [InlineData("this is no database, and it is longer than the sixteen bytes of SQLite's header")]
    [InlineData(
        "SQLite format 3\0 but the rest of the page is rubbish, rubbish, rubbish, rubbish and more "
        + "rubbish to fill a header of one hundred bytes")]
    public void A_damaged_file_is_told_and_rebuilt(string content)
    {
        Finished(Sample.Manifest("a"), Sample.Recipe, 40);
        File.WriteAllText(root["runs.db"], content);
        var error = Assert.ThrowsAny<UserException>(() => RunRegistry.Open(root.Path));
        Assert.Contains(root["runs.db"], error.Message);
        Assert.Contains("runs rebuild", error.Message);

        Assert.Equal(1, RunRegistry.Rebuild(root.Path).Runs);
        using var registry = RunRegistry.Open(root.Path);
        Assert.Single(registry.List(RunFilter.All));
        Assert.Equal(content, File.ReadAllText(root["runs.db.damaged"]));
    }

    [Fact]
    public void Write_ahead_logging_is_on()
    {
        using var registry = RunRegistry.Open(root.Path);
        Assert.Equal(2, File.ReadAllBytes(root["runs.db"])[18]);
    }

    [Fact]
    public void Csv_quotes_what_needs_it_and_json_keeps_types()
    {
        using (var run = RunFolder.Create(root.Path, Sample.Manifest("a"), Sample.Recipe))
            run.SetState(RunState.Failed, "a \"quoted\" reason, with a comma");
        using var registry = RunRegistry.Open(root.Path);
        var lines = RunExport.ToCsv(registry.List(RunFilter.All)).Split('\n');
        Assert.StartsWith("name,state,dataset,teacher,student,method,policy,seed,epochs,", lines[0]);
        Assert.StartsWith("a,failed,cifar100,resnet56,resnet20,fsecd,instance,1,3,0,128,fp32,", lines[1]);
        Assert.Contains(",\"a \"\"quoted\"\" reason, with a comma\",", lines[1]);
        Assert.Equal("", lines[2]);

        using var json = JsonDocument.Parse(RunExport.ToJson(registry.List(RunFilter.All)));
        var row = json.RootElement[0];
        Assert.Equal(278_324, row.GetProperty("parameters").GetInt64());
        Assert.Equal(JsonValueKind.Null, row.GetProperty("acc1").ValueKind);
        Assert.Equal("3", row.GetProperty("settings").GetProperty("train.epochs").GetString());

        var metrics = RunExport.ToCsv([Sample.Epoch(1), Sample.Epoch(2) with { Acc1 = null }]).Split('\n');
        Assert.Equal("epoch,step,acc1,acc5,loss,ce,fsecd,lr,images_per_second,seconds", metrics[0]);
        Assert.Equal("2,782,,80,1.75,1.25,0.5,0.05,812.5,61.5", metrics[2]);
    }
}
