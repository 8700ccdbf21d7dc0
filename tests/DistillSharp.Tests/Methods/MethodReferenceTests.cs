namespace DistillSharp.Tests.Methods;

/// <summary>Losses and gradients against the numbers of an independent implementation.</summary>
public class MethodReferenceTests
{
    // A convolution's bias before a batch norm has no gradient but rounding noise: differences below this are no differences.
    const double Noise = 1e-6;

    public static TheoryData<string> Cases()
    {
        var cases = new TheoryData<string>();
        if (SharedFiles.Root is not null)
            foreach (var file in Directory.GetFiles(SharedFiles.Path("reference/methods"), "*.safetensors").Order())
                cases.Add(Path.GetFileName(file));
        return cases;
    }

    [SharedTheory]
    [MemberData(nameof(Cases))]
    public void Loss_and_gradients_agree(string file)
    {
        var reference = new MethodCase(SharedFiles.Path($"reference/methods/{file}"));
        var loss = reference.Run();
        var wrong = new List<string>();
        Compare("loss", [(float)reference.ExpectedLoss], [(float)loss]);
        foreach (var (name, expected, actual) in reference.Results()) Compare(name, expected, actual);
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));

        void Compare(string name, float[] expected, float[] actual)
        {
            Assert.Equal(expected.Length, actual.Length);
            var difference = Math.Sqrt(expected.Zip(actual, (e, a) => Math.Pow((double)e - a, 2)).Sum());
            var length = Math.Sqrt(expected.Sum(e => Math.Pow(e, 2)));
            if (!(difference <= 1e-4 * length + Noise)) wrong.Add($"{name}: relative error {difference / length:e2} ({difference:e2} of {length:e2})");
        }
    }
}
