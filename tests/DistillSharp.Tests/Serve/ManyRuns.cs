using DistillSharp.Experiments.Runs;
using DistillSharp.Tests.Experiments;

namespace DistillSharp.Tests.Serve;

/// <summary>Run folders as training leaves them.</summary>
static class ManyRuns
{
    static readonly string[] methods = ["ce", "kd", "fsecd", "crd"];

    /// <summary>A run that has ended, with three epochs.</summary>
    public static string Add(
        string root, string name, string method = "fsecd", long seed = 1, double acc1 = 70, RunState state = RunState.Finished)
    {
        var recipe = Sample.Recipe.Replace("seed: 1", $"seed: {seed}") + (method == "ce" ? "" : $"\nmethods:\n  - name: {method}");
        using var run =
            RunFolder.Create(
                root, Sample.Manifest(name) with { Methods = method == "ce" ? [] : [new(method)], Seed = seed }, recipe, exactName: true);
        for (var epoch = 1; epoch <= 3; epoch++) run.Metrics.Append(Sample.Epoch(epoch, acc1 - 3 + epoch));
        run.SetState(state, state == RunState.Failed ? "the loss is no number" : null);
        return run.Path;
    }

    /// <summary>Many copies of a run, told apart by name, seed, method and accuracy: written without waiting for the disk.</summary>
    public static void Fill(string root, int count)
    {
        var model = Add(root, "model");
        var (manifest, recipe, metrics) =
            (File.ReadAllText(Path.Combine(model, RunFiles.Manifest)), File.ReadAllText(Path.Combine(model, RunFiles.Recipe)),
            File.ReadAllText(Path.Combine(model, RunFiles.Metrics)));
        Directory.Delete(model, recursive: true);
        for (var i = 0; i < count; i++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(root, $"run-{i:d4}")).FullName;
            File.WriteAllText(
                Path.Combine(folder, RunFiles.Manifest),
                manifest.Replace("\"fsecd\"", $"\"{methods[i % 4]}\"").Replace("\"seed\": 1", $"\"seed\": {i}"));
            File.WriteAllText(Path.Combine(folder, RunFiles.Recipe), recipe.Replace("seed: 1", $"seed: {i}"));
            File.WriteAllText(
                Path.Combine(folder, RunFiles.Metrics),
                metrics.Replace("\"acc1\":70", FormattableString.Invariant($"\"acc1\":{50 + i * .01:F2}")));
        }
    }
}
