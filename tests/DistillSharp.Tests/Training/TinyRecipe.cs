using System.Globalization;
using DistillSharp.Experiments.Runs;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>Recipes, with data and a teacher, of runs of some steps that keep a checkpoint of each, and what these runs come to.</summary>
sealed class TinyRecipe
{
    public const int Epochs = 6, Steps = 18;

    readonly TemporaryFolder folder;

    public TinyRecipe(TemporaryFolder folder)
    {
        this.folder = folder;
        // 20 images in batches of 8: three steps an epoch.
        SmallFiles.Write(folder["data"],
        [
            ("train-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(20 * 784, 1), 20, 28, 28)),
            ("train-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 20).Select(i => (byte)(i * 7 % 10))], 20)),
            ("t10k-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(10 * 784, 2), 10, 28, 28)),
            ("t10k-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 10).Select(i => (byte)i)], 10)),
        ]);
        using var teacher = Networks.Create("mobilenet_v2_half", 10, seed: 99);
        SafeTensorsFile.Write(folder["teacher.safetensors"], teacher.StoredState());
    }

    /// <summary>Writes a recipe and returns its path.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="method">The method and its settings; nothing trains without a teacher.</param>
    /// <param name="epochs">Passes over the images.</param>
    /// <param name="train">More of the section train.</param>
    public string Write(string name, string method, int epochs = Epochs, string train = "")
    {
        // A checkpoint after every step: the shorter the way between two, the more kills meet one being written.
        var teacher = method == "" ? ""
            : $"teacher: {{ network: mobilenet_v2_half, weights: '{folder["teacher.safetensors"]}' }}\nmethods: [ {{ name: {method} }} ]";
        File.WriteAllText(folder[$"{name}.yaml"], $$"""
            data: { set: fashion-mnist, root: '{{folder["data"]}}', batch: 8, augment: [crop, flip] }
            student: { network: resnet8 }
            {{teacher}}
            train: { epochs: {{epochs}}, lr: 0.05, schedule: cosine, precision: fp32, seed: 7, checkpoint_minutes: 0.000001{{train}} }
            """);
        return folder[$"{name}.yaml"];
    }

    /// <summary>What a finished run comes to, in one text: weights, metrics without times, the last checkpoint, and no leftovers.</summary>
    public static string Finished(string path)
    {
        var run = RunReader.Load(path);
        Assert.Equal(RunState.Finished, run.State);
        Assert.Equal(Enumerable.Range(1, Epochs), run.Metrics.Select(epoch => epoch.Epoch));
        Assert.Equal(Epochs, File.ReadAllLines(Path.Combine(path, RunFiles.Metrics)).Length);
        var checkpoints = new CheckpointStore(Path.Combine(path, RunFiles.Checkpoints));
        Assert.Equal(
            ["best.safetensors", "step-000000017.safetensors", "step-000000018.safetensors"],
            Directory.GetFiles(checkpoints.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        return string.Join('\n',
        [
            Convert.ToHexString(File.ReadAllBytes(Path.Combine(path, StudentFile.FileName))),
            TinyTraining.Text(run.Metrics.Select(epoch => epoch with { Seconds = 0, ImagesPerSecond = 0, TeacherRemembered = null })),
            .. TinyTraining.Latest(checkpoints).Select(entry => $"{entry.Key} {entry.Value}"),
            .. TinyTraining.Content(Checkpoint.Read(checkpoints.BestPath)).Select(entry => $"{entry.Key} {entry.Value}"),
        ]);
    }

    /// <summary>The step of the latest checkpoint; the next process goes on from there.</summary>
    public static int Checkpointed(string run) =>
        new CheckpointStore(Path.Combine(run, RunFiles.Checkpoints)).Files is [var latest, ..]
            ? int.Parse(Path.GetFileNameWithoutExtension(latest)["step-".Length..], CultureInfo.InvariantCulture)
            : 0;
}
