using System.Runtime.InteropServices;
using DistillSharp.Formats;

namespace DistillSharp.Runs;

/// <summary>The machine behind a result: a speed without it says nothing.</summary>
/// <param name="Cpu">The processor's model name.</param>
/// <param name="Cores">Logical cores that this process may use.</param>
/// <param name="MemoryBytes">Installed memory in bytes, or less where the process is confined to less.</param>
/// <param name="System">The operating system.</param>
public sealed record MachineDescription(string Cpu, int Cores, long MemoryBytes, string System)
{
    /// <summary>This machine.</summary>
    public static MachineDescription Current { get; } = new(
        CpuModel(), Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, RuntimeInformation.OSDescription);

    static string CpuModel()
    {
        try
        {
            foreach (var line in File.ReadLines("/proc/cpuinfo"))
            {
                var colon = line.IndexOf(':');
                if (colon > 0 && line.AsSpan(0, colon).Trim() is "model name") return line[(colon + 1)..].Trim();
            }
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            // A machine that hides its processor still trains: the architecture is what is left to say.
        }
        return RuntimeInformation.ProcessArchitecture.ToString();
    }
}
