using DistillSharp.Torch;
using DistillSharp.Verification;

namespace DistillSharp.Tests.Verification;

public class VerifierTests
{
    [SharedFact]
    public void Every_reference_case_passes() => AllPass("reference", 50);

    [SharedFact]
    public void Every_case_of_the_methods_beyond_the_paper_passes() => AllPass("reference-beyond", 9);

    static void AllPass(string folder, int cases)
    {
        var results = Verifier.Run(SharedFiles.Path(folder)).ToArray();
        var wrong = results.Where(result => result.Outcome != VerificationOutcome.Passed)
            .Select(result => $"{result.Case} {result.Outcome}: {string.Join("; ", result.Details)}").ToArray();
        Assert.True(wrong.Length == 0, string.Join("\n", wrong));
        Assert.Equal(cases, results.Length);
    }

    [Fact]
    public void A_folder_without_cases_is_refused()
    {
        Assert.Throws<UserException>(() => Verifier.Run("/does/not/exist"));
        var empty = Directory.CreateTempSubdirectory();
        Assert.Throws<UserException>(() => Verifier.Run(empty.FullName));
        empty.Delete();
    }

    [Fact]
    public void Draws_follow_the_published_generator()
    {
        // FNV-1a-64 of "s/x" and splitmix64, worked out by hand with 64-bit integers.
        var state = 0xcbf29ce484222325ul;
        foreach (var c in "s/x") state = unchecked((state ^ c) * 0x100000001b3ul);
        var z = unchecked(state + 0x9E3779B97F4A7C15ul);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ul);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBul);
        z ^= z >> 31;
        using var scope = TensorScope.Open();
        Assert.Equal((float)((z >> 40) / 16777216.0), new ReferenceValues("s").Uniform("x", 0, 1, 1).Item());
    }
}
