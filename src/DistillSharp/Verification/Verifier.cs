using DistillSharp.Extending;

namespace DistillSharp.Verification;

/// <summary>How a reference case ended.</summary>
public enum VerificationOutcome
{
    /// <summary>Every number agrees.</summary>
    Passed,

    /// <summary>Some number differs, or the case could not be run.</summary>
    Failed,

    /// <summary>The case is of a kind, network or method that this version does not know.</summary>
    Unknown,
}

/// <summary>The result of one reference case.</summary>
/// <param name="Case">The file, relative to the folder.</param>
/// <param name="Kind">model, method or trajectory.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Details">What differs, or why it is unknown.</param>
/// <param name="WorstError">The largest relative error within tolerance.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record VerificationResult(
    string Case, string Kind, VerificationOutcome Outcome, IReadOnlyList<string> Details, double WorstError, double Seconds);

/// <summary>
/// Compares this implementation with reference numbers that an independent one computed: every *.safetensors below a folder.
/// </summary>
public static class Verifier
{
    sealed record Check(Func<ReferenceCase, Toolkit, bool> Knows, Action<ReferenceCase, Comparison, Toolkit, Device, Precision> Run,
        bool AlsoInBf16 = false);

    static readonly Dictionary<string, Check> checks = new()
    {
        ["model"] = new(ModelCheck.Knows, (reference, into, toolkit, device, _) => ModelCheck.Run(reference, into, toolkit, device)),
        ["method"] = new(MethodCheck.Knows, (reference, into, toolkit, device, _) => MethodCheck.Run(reference, into, toolkit, device)),
        ["trajectory"] = new(TrajectoryCheck.Knows, TrajectoryCheck.Run, AlsoInBf16: true),
    };

    /// <summary>Runs every case below a folder, in the order of their names; in bf16 only the training steps.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="precision">The type of the heavy operators.</param>
    /// <param name="toolkit">The networks and methods that there are; null for those that come with the library.</param>
    /// <exception cref="UserException">There is no such folder, no case in it, or no such device.</exception>
    public static IEnumerable<VerificationResult> Run(
        string folder, Device device = default, Precision precision = Precision.Fp32, Toolkit? toolkit = null)
    {
        Devices.Require(device);
        if (!Directory.Exists(folder)) throw new UserException($"{folder}: there is no such folder of reference cases");
        var files = Directory.EnumerateFiles(folder, "*.safetensors", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        if (files.Length == 0) throw new UserException($"{folder}: no reference case (*.safetensors) lies in or below this folder");
        return files.Select(
            file => RunCase(file, Path.GetRelativePath(folder, file), toolkit ?? Toolkit.BuiltIn, device, precision.Resolve(device)))
            .OfType<VerificationResult>();
    }

    // Null for a case of float32 alone.
    static VerificationResult? RunCase(string file, string name, Toolkit toolkit, Device device, Precision precision)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var comparison = new Comparison();
        var kind = "unreadable";
        VerificationResult Result(VerificationOutcome outcome, params IEnumerable<string> details) =>
            new(name, kind, outcome, [.. details], comparison.Worst, clock.Elapsed.TotalSeconds);
        try
        {
            using var scope = TensorScope.Open();
            var reference = new ReferenceCase(file);
            kind = reference.TextOrNull("kind") ?? "unknown";
            if (!checks.TryGetValue(kind, out var check))
                return Result(VerificationOutcome.Unknown, $"no check for cases of kind '{kind}'");
            if (precision == Precision.Bf16 && !check.AlsoInBf16) return null;
            if (!check.Knows(reference, toolkit)) return Result(VerificationOutcome.Unknown, "its network or method is not known");
            check.Run(reference, comparison, toolkit, device, precision);
            return comparison.Differences.Count == 0 ? Result(VerificationOutcome.Passed)
                : Result(VerificationOutcome.Failed, comparison.Differences);
        }
        catch (Exception error) when (error is UserException or TorchException)
        {
            return Result(VerificationOutcome.Failed, error.Message);
        }
    }
}
