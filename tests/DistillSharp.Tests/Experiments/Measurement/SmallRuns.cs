using DistillSharp.Data;
using DistillSharp.Experiments.Runs;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests.Data;

namespace DistillSharp.Tests.Experiments.Measurement;

/// <summary>Runs with networks drawn at random, and the few images that they are measured on.</summary>
sealed class SmallRuns : IDisposable
{
    const int TestImages = 40;

    readonly TemporaryFolder folder = new();

    public SmallRuns()
    {
        SmallFiles.Write(folder["data/cifar-10-batches-bin"],
        [
            .. Enumerable.Range(1, 5).Select(b => ($"data_batch_{b}.bin", SmallFiles.CifarBinary(2, b, i => (byte)i))),
            ("test_batch.bin", SmallFiles.CifarBinary(TestImages, 6, i => (byte)(i % 10))),
            ("batches.meta.txt", System.Text.Encoding.ASCII.GetBytes(string.Join('\n', SmallFiles.TenNames) + "\n")),
        ]);
        using var teacher = Networks.Create("resnet14", 10, seed: 5);
        SafeTensorsFile.Write(folder["teacher.safetensors"], teacher.StoredState(), new Dictionary<string, string>());
    }

    public string this[string relative] => folder[relative];

    public void Dispose() => folder.Dispose();

    /// <summary>Makes a run; its student is drawn by a seed, or is not there yet.</summary>
    /// <returns>Its folder.</returns>
    public string Run(string name, ulong? seed, int? limit = null, bool teacher = true)
    {
        var recipe = $"""
            data: {"{"} set: cifar10, root: '{folder["data"]}', batch: 2{(limit is null ? "" : $", test_limit: {limit}")} {"}"}
            {(teacher ? $"teacher: {{ network: resnet14, weights: '{folder["teacher.safetensors"]}' }}\nmethods: [ {{ name: kd }} ]" : "")}
            student: {"{"} network: resnet8 {"}"}
            """;
        using var run =
            RunFolder.Create(
                folder["runs"],
                Sample.Manifest(name) with { Dataset = "cifar10", Teacher = teacher ? "resnet14" : null, Student = "resnet8" }, recipe);
        if (seed is null) return run.Path;
        using var student = Networks.Create("resnet8", 10, seed);
        StudentFile.Write(Path.Combine(run.Path, StudentFile.FileName), student, Datasets.Cifar10(folder["data"]), 10);
        return run.Path;
    }
}
