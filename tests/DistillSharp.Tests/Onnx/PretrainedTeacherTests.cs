using System.Diagnostics;
using DistillSharp.Data;
using DistillSharp.Models;
using DistillSharp.Onnx.Teachers;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Onnx;

/// <summary>
/// The pretrained ResNet-18 that ML.NET featurizes images with, from the NuGet package that docs/pretrained.md names: its graph of
/// ONNX and the one that prepares images for it.
/// </summary>
public sealed class PretrainedTeacherTests
{
    const int TrainOfClass = 6, TestOfClass = 3, Classes = 10;

    [PretrainedFact]
    public void Its_features_tell_classes_apart_that_it_was_prepared_for_as_its_package_does()
    {
        using var scope = TensorScope.Open();
        using var off = Autograd.NoGrad();
        var said = new List<string>();
        using var teacher = OnnxTeacher.Load(Pretrained.Teacher(Classes), said.Add);
        Assert.Contains("image by image", Assert.Single(said));
        Assert.False(teacher.ShowsLogits);
        var data =
            Datasets.ImageFolder(SharedFiles.Path("data/imagenette")).Limit(train: TrainOfClass * Classes, test: TestOfClass * Classes);
        var (train, test) = (Features(teacher, data.Train), Features(teacher, data.Test));
        Assert.Equal([TrainOfClass * Classes, 512], train.Shape);

        // The nearest class's mean; by chance 10 % are right, without its preparation's channel order and mean fewer than with it.
        var means = Tensor.Stack([.. Enumerable.Range(0, Classes).Select(c => Of(train, data.Train, c).Mean([0]))]);
        var guesses = test.MatMul(Functional.Normalize(means).Transpose()).ArgMax(1).ToArray<long>();
        var right = guesses.Where((guess, i) => guess == data.Test.Labels[i]).Count();
        Assert.InRange(right, 0.8 * guesses.Length, guesses.Length);
    }

    static Tensor Features(OnnxTeacher teacher, ImageSet images)
    {
        var pixels = Enumerable.Range(0, images.Count).Select(i => Tensor.From(images.Image(i).Pixels, 1, 224, 224, 3));
        var all = Tensor.Cat([.. pixels]).To(DType.Float32).Permute(0, 3, 1, 2);
        return Functional.Normalize(teacher.Forward(all, DistillSharp.Models.Features.Pooled).Pooled!);
    }

    static Tensor Of(Tensor features, ImageSet images, int label) =>
        Tensor.Cat([.. Enumerable.Range(0, images.Count).Where(i => images.Labels[i] == label).Select(i => features.Narrow(0, i, 1))]);
}

/// <summary>The package's files, restored when they are first asked for.</summary>
static class Pretrained
{
    const string Package = "Microsoft.ML.DnnImageFeaturizer.ResNet18", Version = "0.23.1";

    static readonly Lazy<string?> folder = new(Restore);

    public static bool Exists => folder.Value is not null;

    public static TeacherFile Teacher(int classes) => new(Path.Combine(folder.Value!, "ResNet18Onnx", "ResNet18.onnx"), classes, 224)
    {
        Pooled = "Pooling395_Output_0", Prepare = Path.Combine(folder.Value!, "ResNetPrepOnnx", "ResNetPreprocess.onnx"),
    };

    static string? Restore()
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var models = Path.Combine(packages, Package.ToLowerInvariant(), Version, "tools", "DnnImageModels");
        if (Directory.Exists(models)) return models;
        using var project = new TemporaryFolder();
        File.WriteAllText(project["restore.csproj"], $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
              <ItemGroup><PackageDownload Include="{Package}" Version="[{Version}]" /></ItemGroup>
            </Project>
            """);
        using var restore = Process.Start(new ProcessStartInfo("dotnet", ["restore", project["restore.csproj"], "--nologo"])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        restore.StandardOutput.ReadToEnd();
        restore.WaitForExit();
        return Directory.Exists(models) ? models : null;
    }
}

/// <summary>A fact that runs only where the package restores, and beside the shared photographs.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class PretrainedFactAttribute : FactAttribute
{
    public PretrainedFactAttribute()
    {
        if (SharedFiles.Root is null) Skip = "the shared material does not lie beside the project (set DISTILLSHARP_SHARED)";
        else if (!Pretrained.Exists) Skip = "the package Microsoft.ML.DnnImageFeaturizer.ResNet18 does not restore";
    }
}
