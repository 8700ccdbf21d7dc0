using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Onnx;
using DistillSharp.Torch;
using DistillSharp.Verification;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace DistillSharp.Tests.Onnx;

/// <summary>ML.NET takes the file as a step of its pipelines.</summary>
public sealed class MachineLearningNetTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly TensorScope scope = TensorScope.Open();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void ApplyOnnxModel_gives_the_networks_logits()
    {
        using var network = Networks.Create("resnet8", 5, seed: 1);
        new ReferenceValues("ml.net").Fill(network);
        network.Train(false);
        network.ExportOnnx(folder["student.onnx"]);
        var random = new Random(1);
        Row[] rows = [.. Enumerable.Range(0, 3).Select(_ => new Row { Images = [.. Enumerable.Range(0, 3 * 32 * 32).Select(
            _ => (float)(random.NextDouble() * 4 - 2))] })];

        var ml = new MLContext(seed: 1);
        var table = ml.Data.LoadFromEnumerable(rows);
        var given = ml.Transforms.ApplyOnnxModel("logits", "images", folder["student.onnx"]).Fit(table).Transform(table)
            .GetColumn<float[]>("logits").ToList();

        using var classifier = new OnnxClassifier(folder["student.onnx"]);
        Assert.Equal(rows.Length, given.Count);
        foreach (var (row, logits) in rows.Zip(given))
        {
            Assert.Equal(classifier.Logits(row.Images, 1, 32), logits);
            var own = network.Forward(Tensor.From(row.Images).Reshape(1, 3, 32, 32)).Logits.ToArray<float>();
            Assert.All(own.Zip(logits), pair => Assert.Equal(pair.First, pair.Second, 1e-3f));
        }
        Assert.True(given[0].Distinct().Count() == 5 && !given[0].SequenceEqual(given[1]));
    }

    sealed class Row
    {
        [ColumnName("images"), VectorType(3 * 32 * 32)]
        public float[] Images { get; set; } = [];
    }
}
