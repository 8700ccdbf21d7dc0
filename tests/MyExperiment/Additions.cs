using DistillSharp.Data;
using DistillSharp.Extending;

namespace MyExperiment;

public static class Additions
{
    /// <summary>Makes all three known by name, beside what comes with the library.</summary>
    public static void Register(Toolkit toolkit)
    {
        toolkit.Methods.Add("similarity", () => new SimilarityPreserving());
        toolkit.Networks.Add("plain", (name, classes) => new PlainNet(name, classes));
        toolkit.Datasets.Add(new OptDigits());
    }
}
