using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Models;

/// <summary>What the public implementations of several families do to their weights after PyTorch's default.</summary>
static class InitialWeights
{
    /// <summary>Every convolution: normal with deviation sqrt(2 / (outputs * kernel area)), bias 0.</summary>
    public static void HeConvolutions(Module network)
    {
        using var off = Autograd.NoGrad();
        foreach (var (_, module) in network.NamedModules())
        {
            if (module is not Conv2d convolution) continue;
            Initialize.KaimingNormalFanOut(convolution.Weight);
            convolution.Bias?.Fill(0);
        }
    }

    /// <summary>A classifier: normal with deviation 0.01, bias 0.</summary>
    public static void SmallClassifier(Linear classifier)
    {
        using var off = Autograd.NoGrad();
        classifier.Weight.NormalInPlace(0, 0.01);
        classifier.Bias!.Fill(0);
    }
}
