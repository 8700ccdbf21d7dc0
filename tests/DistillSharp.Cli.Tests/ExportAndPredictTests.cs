using System.Text.Json;
using DistillSharp.Data;
using DistillSharp.Formats;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Interop;
using DistillSharp.Models;

namespace DistillSharp.Cli.Tests;

public sealed class ExportAndPredictTests : IDisposable
{
    // A red PNG of 4x2 pixels.
    static readonly byte[] red =
        Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAADwyuo0AAAAEElEQVR4nGP4z8AARwzIHABvqgf5gNwAKAAAAABJRU5ErkJggg==");

    readonly string folder = Directory.CreateTempSubdirectory("distill-interop-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    string At(string name) => Path.Combine(folder, name);

    string Run()
    {
        var run = At("run");
        Directory.CreateDirectory(run);
        var set = new ImageSet(new byte[32 * 32 * 3], 32, 32, 3, [0], ["cat", "dog", "Zürich"]);
        using var network = Networks.Create("resnet8", 3, seed: 1);
        StudentFile.Write(Path.Combine(run, StudentFile.FileName), network, new("pets", set, set, [.5f, .4f, .3f], [.2f, .2f, .2f]), 71.25);
        return run;
    }

    [Fact]
    public void A_run_is_written_in_every_form()
    {
        var session = new Session();
        Assert.Equal(
            0, session.Run(
                CommandList.All(), "export", Run(), "--onnx", At("s.onnx"), "--pth", At("s.pth"), "--safetensors", At("s.safetensors"),
                "--with-preprocessing"));
        Assert.Equal(3, session.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.StartsWith($"{At("s.onnx")}: ", session.Out);
        var onnx = File.ReadAllText(At("s.onnx"));
        foreach (
            var written in new[] {
                "images", "logits", "[\"cat\",\"dog\",\"Zürich\"]", "71.25", "pets", "[0.5, 0.4, 0.3]", "DistillSharp" }) Assert.Contains(
                    written, onnx);
        var (network, description) = StudentFile.Load(At("s.safetensors"));
        using (network) Assert.Equal(["cat", "dog", "Zürich"], description.ClassNames);
        Assert.Equal(
            WeightsFile.Read(At("s.safetensors")).Select(tensor => tensor.Name),
            WeightsFile.Read(At("s.pth")).Select(tensor => tensor.Name));
    }

    [Fact]
    public void Weights_without_a_run_are_exported_by_name()
    {
        using (var network = Networks.Create("wrn_16_1", 7, seed: 1)) PyTorchFile.Write(At("w.pth"), network.StoredState());
        var session = new Session();
        Assert.Equal(
            0, session.Run(CommandList.All(), "export", "--model", "wrn_16_1", "--weights", At("w.pth"), "--onnx", At("w.onnx"), "--json"));
        var files = JsonDocument.Parse(session.Out).RootElement;
        Assert.Equal(At("w.onnx"), files[0].GetProperty("file").GetString());
        Assert.Equal(new FileInfo(At("w.onnx")).Length, files[0].GetProperty("bytes").GetInt64());
    }

    [Theory]
    [InlineData(2, "nothing to write", "RUN")]
    [InlineData(2, "--model NAME is missing; give a run's folder, or --model NAME --weights FILE", "--onnx", "x")]
    [InlineData(2, "not both", "RUN", "--model", "resnet8", "--weights", "w", "--onnx", "x")]
    [InlineData(2, "contradict", "RUN", "--onnx", "x", "--batch", "2", "--dynamic-batch")]
    [InlineData(2, "13 to 20", "RUN", "--onnx", "x", "--opset", "9")]
    [InlineData(2, "three numbers", "RUN", "--onnx", "x", "--mean", "a", "--std", "b")]
    [InlineData(2, "there is no network 'resnet9'", "--model", "resnet9", "--weights", "w", "--onnx", "x")]
    [InlineData(2, "there is no data set 'cifar'", "--model", "resnet8", "--weights", "w", "--data", "cifar", "--onnx", "x")]
    [InlineData(1, "does not exist", "--model", "resnet8", "--weights", "w", "--onnx", "x")]
    [InlineData(1, "student.safetensors", ".", "--onnx", "x")]
    public void A_wrong_export_is_refused_and_leaves_nothing(int code, string said, params string[] arguments)
    {
        var run = Run();
        var before = Directory.GetFiles(Environment.CurrentDirectory);
        var session = new Session();
        Assert.Equal(code, session.Run(CommandList.All(), ["export", .. arguments.Select(argument => argument == "RUN" ? run : argument)]));
        Assert.Contains(said, session.Error);
        Assert.Equal("", session.Out);
        Assert.Equal(before, Directory.GetFiles(Environment.CurrentDirectory));
    }

    [Fact]
    public void Files_and_folders_are_named_with_classes_and_probabilities()
    {
        var run = Run();
        Directory.CreateDirectory(At("images/more"));
        foreach (var name in new[] { "images/b.png", "images/more/a.png", "one.png" }) File.WriteAllBytes(At(name), red);
        var session = new Session();
        Assert.Equal(0, session.Run(CommandList.All(), "predict", run, At("one.png"), At("images"), "--json", "--top", "2"));
        var predictions = JsonDocument.Parse(session.Out).RootElement.EnumerateArray().ToList();
        Assert.Equal(
            [At("one.png"), At("images/b.png"), At("images/more/a.png")],
            predictions.Select(prediction => prediction.GetProperty("file").GetString()));
        Assert.All(predictions, prediction =>
        {
            var guesses = prediction.GetProperty("guesses").EnumerateArray().ToList();
            Assert.Equal(2, guesses.Count);
            var probabilities = guesses.ConvertAll(guess => guess.GetProperty("probability").GetDouble());
            Assert.True(probabilities[0] >= probabilities[1] && probabilities.Sum() is > 2 / 3.0 and <= 1);
            Assert.All(guesses, guess => Assert.Contains(guess.GetProperty("class").GetString(), new[] { "cat", "dog", "Zürich" }));
        });

        var plain = new Session();
        Assert.Equal(0, plain.Run(CommandList.All(), "predict", run, At("one.png")));
        Assert.Matches("^.*one.png: (\\w+ [0-9.]+ %(, )?){3}\n$", plain.Out);
    }

    [Fact]
    public void Classes_without_names_are_numbered()
    {
        using (var network = Networks.Create("resnet8", 3, seed: 1)) PyTorchFile.Write(At("w.pth"), network.StoredState());
        File.WriteAllBytes(At("one.png"), red);
        string[] arguments = ["predict", "--model", "resnet8", "--weights", At("w.pth"), "--data", "cifar10", At("one.png")];
        var session = new Session();
        Assert.Equal(0, session.Run(CommandList.All(), arguments));
        Assert.Matches("^.*one.png: (class [0-2] [0-9.]+ %(, )?){3}\n$", session.Out);

        var json = new Session();
        Assert.Equal(0, json.Run(CommandList.All(), [.. arguments, "--json"]));
        Assert.All(JsonDocument.Parse(json.Out).RootElement[0].GetProperty("guesses").EnumerateArray(),
            guess => Assert.Equal($"class {guess.GetProperty("index").GetInt32()}", guess.GetProperty("class").GetString()));
    }

    [Fact]
    public void A_file_that_is_no_image_is_reported_and_the_others_go_on()
    {
        var run = Run();
        File.WriteAllText(At("text.png"), "no image");
        File.WriteAllBytes(At("one.png"), red);
        var session = new Session();
        Assert.Equal(1, session.Run(CommandList.All(), "predict", run, At("text.png"), At("missing.jpg"), At("one.png")));
        Assert.Contains("text.png' is no image", session.Error);
        Assert.Contains("missing.jpg': the file does not exist", session.Error);
        Assert.Contains("one.png: ", session.Out);

        session = new();
        Assert.Equal(1, session.Run(CommandList.All(), "predict", "none", At("one.png")));
        Assert.Equal(
            "distill: 'none' is neither a run's folder nor a file; a run's folder is where it was written, such as runs/NAME\n",
            session.Error);
    }

    [Theory]
    [InlineData("no image was given", "RUN")]
    [InlineData("the 0 likeliest classes are none", "RUN", "x.png", "--top", "0")]
    [InlineData("the normalization of the images is unknown", "--model", "resnet8", "--weights", "RUN/student.safetensors", "x.png")]
    public void A_wrong_prediction_is_refused(string said, params string[] arguments)
    {
        var run = Run();
        var session = new Session();
        Assert.Equal(2, session.Run(CommandList.All(), ["predict", .. arguments.Select(argument => argument.Replace("RUN", run))]));
        Assert.Contains(said, session.Error);
    }
}
