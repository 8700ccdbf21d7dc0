using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests.Data;

namespace DistillSharp.Tests.Interop;

[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class OnnxLifetimeTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void An_export_keeps_no_tensor()
    {
        using var network = Networks.Create("resnet8", 10, seed: 1);
        network.ExportOnnx(folder["a"]);
        var before = LivingTensors.Count();
        network.ExportOnnx(folder["a"]);
        Assert.Equal(before, LivingTensors.Count());
    }
}
