using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Formats;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Models;

public sealed class TorchScriptNetworkTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly TensorScope scope = TensorScope.Open();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    static string Shared => SharedFiles.Path("data/checkpoints/tiny-torchscript.pt");

    [SharedFact]
    public void A_network_from_elsewhere_gives_the_numbers_it_is_known_to_give()
    {
        using var network = TorchScriptNetwork.Load(Shared, 32);
        Assert.Equal(("tiny-torchscript", 100), (network.Name, network.Classes));
        var ramp = Enumerable.Range(0, 6144).Select(i => (float)(-1 + 2.0 * i / 6143)).ToArray();
        using var off = Autograd.NoGrad();
        var output = network.Forward(Tensor.From(ramp, 2, 3, 32, 32), Features.Pooled);
        Assert.Equal([2, 100], output.Logits.Shape);
        Assert.Equal([2, 32], output.Pooled!.Shape);
        Close([.0225399, .0038569, .2007850, -.0419761], output.Logits);
        Close([.0357033, .0766079, .1217578, .1097596], output.Pooled);

        static void Close(double[] expected, Tensor tensor) =>
            Assert.All(expected.Zip(tensor.ToArray<float>()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [SharedFact]
    public void It_teaches_through_logits_and_pooled_features_and_stays_as_it_was()
    {
        using var teacher = TorchScriptNetwork.Load(Shared, 32);
        Assert.True(teacher.ParameterCount > 0);
        var before = teacher.Parameters().Select(parameter => parameter.ToArray<float>()).ToArray();
        foreach (var method in new DistillationMethod[] { new Kd(), new Fsecd() })
        {
            using var student = Networks.Create("resnet8", 100, seed: 1);
            var start = student.Parameters()[0].ToArray<float>();
            using (var trainer = new Trainer(student, teacher, [method], Noise(), new TrainingOptions { Epochs = 1, BatchSize = 8 }))
                trainer.Run();
            Assert.NotEqual(start, student.Parameters()[0].ToArray<float>());
        }
        Assert.Equal(before, teacher.Parameters().Select(parameter => parameter.ToArray<float>()));
    }

    [SharedFact]
    public void A_method_that_needs_stages_says_that_it_has_none()
    {
        using var teacher = TorchScriptNetwork.Load(Shared, 32);
        using var student = Networks.Create("resnet8", 100, seed: 1);
        foreach (var method in new DistillationMethod[] { new At(), new FitNet(), new Ofd() })
        {
            var error = Assert.Throws<UserException>(() => new Trainer(student, teacher, [method], Noise(), new TrainingOptions()));
            Assert.StartsWith($"{method.Name} needs the stages of the teacher, and tiny-torchscript has none", error.Message);
        }
    }

    static Dataset Noise()
    {
        var pixels = new byte[16 * 32 * 32 * 3];
        new Random(1).NextBytes(pixels);
        var set = new ImageSet(pixels, 32, 32, 3, [.. Enumerable.Range(0, 16)], [.. Enumerable.Range(0, 100).Select(c => $"class {c}")]);
        return new("noise", set, set, [.5f, .5f, .5f], [.25f, .25f, .25f]);
    }

    [SharedFact]
    public void A_file_that_is_none_is_refused()
    {
        Refused("missing.pt", "does not exist");
        Directory.CreateDirectory(folder["folder.pt"]);
        Refused("folder.pt", "it is a folder");
        File.WriteAllBytes(folder["empty.pt"], []);
        Refused("empty.pt", "is no TorchScript network");
        var whole = File.ReadAllBytes(Shared);
        File.WriteAllBytes(folder["cut.pt"], whole[..(whole.Length / 2)]);
        Refused("cut.pt", "is no TorchScript network");
        File.Copy(SharedFiles.Path("data/checkpoints/resnet56.pth"), folder["weights.pt"]);
        Refused("weights.pt", "is no TorchScript network");
    }

    void Refused(string file, string said)
    {
        var error = Assert.Throws<UserException>(() => TorchScriptNetwork.Load(folder[file], 32));
        Assert.Contains(folder[file], error.Message);
        Assert.Contains(said, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [PythonTorchFact]
    public void Logits_alone_will_do_but_nothing_else()
    {
        // TorchScript compiles from source files only.
        File.WriteAllText(folder["make.py"], """
            import sys, torch
            from torch import nn
            class Pair(nn.Module):
                def forward(self, x): return x.mean((2, 3)), x
            class Picky(nn.Module):
                def forward(self, x):
                    assert x.size(2) == 64, "only 64x64"
                    return x.mean((2, 3))
            class Texts(nn.Module):
                def forward(self, x): return "text"
            plain = nn.Sequential(nn.Conv2d(3, 7, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
            for name, module in [("plain", plain), ("pair", Pair()), ("picky", Picky()), ("text", Texts())]:
                torch.jit.script(module).save(f"{sys.argv[1]}/{name}.pt")
            torch.jit.freeze(torch.jit.script(plain.eval())).save(f"{sys.argv[1]}/frozen.pt")
            """);
        PythonTorch.Run("import runpy, sys; runpy.run_path(sys.argv[1] + '/make.py', run_name='make')", folder.Path);
        foreach (var name in new[] { "plain", "frozen" })
        {
            using var network = TorchScriptNetwork.Load(folder[$"{name}.pt"], 32);
            Assert.Equal(7, network.Classes);
            Assert.Equal(0, network.Describe().PooledWidth);
            using var student = Networks.Create("resnet8", 7, seed: 1);
            var pair = new DistillationPair(PairMember.Of(student, 32), PairMember.Of(network, 32), 7, default);
            using var objective = new Objective([new Fsecd()]);
            Assert.Contains("returning (logits, pooled)", Assert.Throws<UserException>(() => objective.Bind(pair)).Message);
        }
        Refused("pair.pt", "returns [1, 3] and [1, 3, 32, 32]");
        Refused("picky.pt", "only 64x64");
        Refused("text.pt", "String");
    }
}
