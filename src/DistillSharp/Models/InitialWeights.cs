namespace DistillSharp.Models;

/// <summary>What the public implementations of several families do to their weights after PyTorch's default.</summary>
static class InitialWeights
{
    /// <summary>Every convolution: normal with deviation sqrt(2 / (outputs * kernel area)), bias 0.</summary>
    public static void HeConvolutions(Module network)
    {
        using var off = Autograd.NoGrad();
        foreach (var convolution in network.NamedModules().Select(at => at.Module).OfType<Conv2d>())
        {
            Initialize.KaimingNormalFanOut(convolution.Weight);
            convolution.Bias?.Fill(0);
        }
    }

    /// <summary>A classifier: normal with deviation 0.01, bias 0.</summary>
    public static void SmallClassifier(Linear classifier)
    {
        Initialize.Normal(classifier.Weight, 0.01);
        using var off = Autograd.NoGrad();
        classifier.Bias!.Fill(0);
    }

    /// <summary>Every convolution and linear layer: normal with deviation 0.02, bias 0.</summary>
    public static void Narrow(Module network)
    {
        using var off = Autograd.NoGrad();
        foreach (var (_, module) in network.NamedModules())
        {
            var (weight, bias) = module switch
            {
                Conv2d convolution => (convolution.Weight, convolution.Bias),
                Linear linear => (linear.Weight, linear.Bias),
                _ => default,
            };
            if (weight is null) continue;
            Initialize.Normal(weight, 0.02);
            bias?.Fill(0);
        }
    }

    /// <summary>A classifier: uniform within 1 / sqrt(classes), bias 0.</summary>
    public static void UniformClassifier(Linear classifier)
    {
        Initialize.Uniform(classifier.Weight, 1 / Math.Sqrt(classifier.Weight.Size(0)));
        using var off = Autograd.NoGrad();
        classifier.Bias!.Fill(0);
    }
}
