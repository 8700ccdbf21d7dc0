using System.Runtime.InteropServices;

namespace DistillSharp.Onnx.Measurement;

/// <summary>The processor behind a speed.</summary>
/// <param name="Name">Its model name; its architecture where the system does not tell.</param>
/// <param name="InstructionSet">The widest vectors, and the products of bytes where it has them: <c>AVX2</c>, <c>AVX-512 VNNI</c>.</param>
/// <param name="Cores">Logical cores of this process.</param>
public sealed record Processor(string Name, string InstructionSet, int Cores)
{
    /// <summary>This machine's.</summary>
    public static Processor Current { get; } = Describe();

    static Processor Describe()
    {
        var (name, flags) = (RuntimeInformation.ProcessArchitecture.ToString(), Array.Empty<string>());
        try
        {
            foreach (var line in File.ReadLines("/proc/cpuinfo").TakeWhile(line => line.Length > 0))
            {
                var parts = line.Split(':', 2, StringSplitOptions.TrimEntries);
                if (parts is ["model name", var model]) name = model;
                if (parts is ["flags" or "Features", var all]) flags = all.Split(' ');
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The architecture is what is left to say.
        }
        return new(name, Widest(flags), Environment.ProcessorCount);
    }

    static string Widest(string[] flags)
    {
        bool Has(string flag) => flags.Contains(flag);
        if (Has("avx512f")) return Has("avx512_vnni") ? "AVX-512 VNNI" : "AVX-512";
        if (Has("avx2")) return Has("avx_vnni") ? "AVX2 VNNI" : "AVX2";
        return Has("asimd") ? Has("asimddp") ? "NEON with dot products" : "NEON" : RuntimeInformation.ProcessArchitecture.ToString();
    }
}
