using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Cli.Tests;

/// <summary>A folder for a test, with run folders as training leaves them and a data set that trains in a moment.</summary>
sealed class SampleRuns : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("distill-runs-").FullName;

    public string Root => At("runs");

    public string At(string name) => Path.Combine(folder, name);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>A run of a recipe that reached an accuracy in each epoch.</summary>
    public string Add(string recipe, params double[] acc1)
    {
        var made = Recipe.Parse(recipe, "sample", $"train.epochs={acc1.Length}");
        using var run =
            RunFolder.Create(
                Root, RunManifest.Of(made) with { TrainImages = 500, TestImages = 100, Precision = "fp32", Parameters = 278_324 },
                made.Resolve(), exactName: true);
        for (var epoch = 1; epoch <= acc1.Length; epoch++)
            run.Metrics.Append(new()
            {
                Epoch = epoch, Step = epoch, Acc1 = acc1[epoch - 1], Acc5 = acc1[epoch - 1] + 20, Loss = 3.0 / epoch,
                Terms = new Dictionary<string, double> { ["ce"] = 3.0 / epoch }, Lr = 0.05, ImagesPerSecond = 250, Seconds = 2,
            });
        run.SetState(RunState.Finished);
        using var registry = RunRegistry.Open(Root);
        registry.Record(RunReader.Load(run.Path));
        return run.Name;
    }

    public static string Distilled(string method, long seed, string teacher = "resnet56", string student = "resnet20") => $$"""
        data: { set: cifar100, batch: {{(method == "fsecd" ? 128 : 64)}} }
        {{(method == "ce" ? "" : $"teacher: {{ network: {teacher}, weights: t.pth }}\nmethods: [ {{ name: {method} }} ]")}}
        student: { network: {{student}} }
        train: { seed: {{seed}}, precision: fp32 }
        """;

    /// <summary>CIFAR-100's binary version with a few random images; its folder.</summary>
    public string Images(int train, int test)
    {
        var root = At("data");
        var binary = Path.Combine(root, "cifar-100-binary");
        Directory.CreateDirectory(binary);
        File.WriteAllBytes(Path.Combine(binary, "train.bin"), Records(train, 1));
        File.WriteAllBytes(Path.Combine(binary, "test.bin"), Records(test, 2));
        File.WriteAllLines(Path.Combine(binary, "fine_label_names.txt"), Enumerable.Range(0, 100).Select(i => $"fine{i}"));
        File.WriteAllLines(Path.Combine(binary, "coarse_label_names.txt"), Enumerable.Range(0, 20).Select(i => $"coarse{i}"));
        return root;
    }

    static byte[] Records(int count, int seed)
    {
        const int length = 2 + 3072;
        var records = new byte[count * length];
        new Random(seed).NextBytes(records);
        for (var i = 0; i < count; i++) (records[i * length], records[i * length + 1]) = ((byte)(i % 20), (byte)(i % 100));
        return records;
    }
}
