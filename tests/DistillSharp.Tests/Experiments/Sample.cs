using DistillSharp.Experiments.Runs;
using DistillSharp.Training;

namespace DistillSharp.Tests.Experiments;

/// <summary>Run records and metrics for tests.</summary>
static class Sample
{
    public const string Recipe = """
        data:
          set: cifar100
          batch: 128
        student:
          network: resnet20
        train:
          epochs: 3
          seed: 1
        """;

    public static RunManifest Manifest(string name = "resnet56-resnet20-fsecd-s1") => new()
    {
        Name = name, State = RunState.Running, Dataset = "cifar100", TrainImages = 50_000, TestImages = 10_000,
        Teacher = "resnet56", Student = "resnet20", Methods = [new("fsecd", "instance")], Seed = 1, Epochs = 3,
        Batch = 128, Precision = "fp32", Parameters = 278_324, Versions = RunVersions.Current("1.13.1"),
    };

    public static EpochMetrics Epoch(int epoch, double acc1 = 50) => new()
    {
        Epoch = epoch, Step = epoch * 391, Acc1 = acc1, Acc5 = Math.Min(100, acc1 + 30), Loss = 3.5 / epoch,
        Terms = new Dictionary<string, double> { ["ce"] = 2.5 / epoch, ["fsecd"] = 1.0 / epoch }, Lr = 0.05,
        ImagesPerSecond = 812.5, Seconds = 61.5,
    };
}
