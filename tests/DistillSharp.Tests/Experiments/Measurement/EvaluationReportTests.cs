using DistillSharp.Experiments.Measurement;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Experiments.Measurement;

public class EvaluationReportTests
{
    [SharedTheory]
    [InlineData("resnet56", "resnet56.pth", 72.63, 91.94)]
    [InlineData("resnet20", "resnet20-legacy.pth", 68.83, 91.01)]
    public void Published_checkpoints_have_their_accuracy(string model, string file, double acc1, double acc5)
    {
        var report = Measured(model, file);
        Assert.Equal((10_000, "fp32"), (report.Images, report.Precision));
        // An image on the border of two classes falls to either side by rounding, which is each processor's own.
        const double twoImages = 0.02 + 1e-9;
        Assert.Equal(acc1, report.Acc1, twoImages);
        Assert.Equal(acc5, report.Acc5!.Value, twoImages);
    }

    [SharedFact]
    public void The_same_weights_in_another_form_say_the_same()
    {
        var (legacy, wrapped) = (Measured("resnet20", "resnet20-legacy.pth", "data.test_limit=500"),
            Measured("resnet20", "resnet20-wrapped.pth", "data.test_limit=500"));
        Assert.InRange(legacy.Acc1, 60, 80);
        Assert.Equal((500, legacy.Acc1, legacy.Acc5), (wrapped.Images, wrapped.Acc1, wrapped.Acc5));
    }

    [SharedFact]
    public void The_precision_that_was_asked_for_is_computed_in_where_the_processor_has_it()
    {
        var (whole, short16) = (Measured("resnet20", "resnet20-legacy.pth", "data.test_limit=500"),
            Measured("resnet20", "resnet20-legacy.pth", "data.test_limit=500", "train.precision=bf16"));
        Assert.Equal(Runtime.HasNativeBf16 ? "bf16" : "fp32", short16.Precision);
        Assert.InRange(short16.Acc1, whole.Acc1 - 2, whole.Acc1 + 2);
    }

    static EvaluationReport Measured(string model, string file, params string[] overrides) =>
        EvaluationReport.Measure(Request(model, SharedFiles.Path($"data/checkpoints/{file}")) with
        {
            Root = RealData.Cifar100Root,
            Overrides = ["data.mean=[0.5070,0.4865,0.4409]", "data.std=[0.2673,0.2564,0.2761]", "train.precision=fp32", .. overrides],
        });

    [Fact]
    public void What_is_missing_or_unknown_is_named()
    {
        Assert.Contains("the file of its weights", Refused(source => source with { Weights = null }));
        Assert.Contains("did you mean 'resnet20'?", Refused(source => source with { Model = "resnet2o" }));
        Assert.Contains("did you mean 'cifar100'?", Refused(source => source with { Dataset = "cifar_100" }));
        Assert.Contains("not both", Refused(source => source with { Run = "runs/first" }));
        Assert.Contains("none.pth", Assert.Throws<UserException>(() => EvaluationReport.Measure(Request("resnet20", "none.pth"))).Message);
    }

    [Fact]
    public void The_data_set_must_be_known_and_have_the_networks_classes()
    {
        using var folder = new TemporaryFolder();
        var weights = folder["ten.pth"];
        using (var network = Networks.Create("resnet8", classes: 10, seed: 1)) PyTorchFile.Write(weights, network.StoredState());
        SmallFiles.Write(folder["cifar-100-binary"], SmallFiles.Cifar100Binary(4, 4));
        var request = Request("resnet8", weights);
        Assert.Contains("data set is missing", Assert.Throws<UsageException>(
            () => EvaluationReport.Measure(request with { Source = request.Source with { Dataset = null } })).Message);
        request = request with { Root = folder.Path };
        Assert.Contains("10 classes apart, and cifar100 has 100",
            Assert.Throws<UserException>(() => EvaluationReport.Measure(request)).Message);
    }

    static string Refused(Func<NetworkSource, NetworkSource> change)
    {
        var request = Request("resnet20", "none.pth");
        return Assert.Throws<UsageException>(() => EvaluationReport.Measure(request with { Source = change(request.Source) })).Message;
    }

    static EvaluationRequest Request(string model, string weights) =>
        new() { Source = new() { Model = model, Weights = weights, Dataset = "cifar100" }, Root = "data" };
}
