using System.Runtime.InteropServices;

namespace DistillSharp.Experiments.Runs;

/// <summary>The machine behind a result: a speed without it says nothing.</summary>
/// <param name="Cpu">The processor's model name.</param>
/// <param name="Cores">Its logical cores, of which a process may be given fewer (<see cref="RunManifest.Threads"/>).</param>
/// <param name="MemoryBytes">Installed memory in bytes, or less where the process is confined to less.</param>
/// <param name="System">The operating system.</param>
public sealed record MachineDescription(string Cpu, int Cores, long MemoryBytes, string System)
{
    /// <summary>This machine.</summary>
    public static MachineDescription Current { get; } = Describe();

    // Not Environment.ProcessorCount: a sweep gives each of its processes a part of the cores, and the machine stays the same.
    static MachineDescription Describe()
    {
        var (cpu, cores) = (RuntimeInformation.ProcessArchitecture.ToString(), 0);
        try
        {
            foreach (var line in File.ReadLines("/proc/cpuinfo"))
            {
                var parts = line.Split(':', 2, StringSplitOptions.TrimEntries);
                if (parts is ["processor", _]) cores++;
                else if (parts is ["model name", var model]) cpu = model;
            }
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            // A machine that hides its processor still trains: the architecture is what is left to say.
        }
        return new MachineDescription(cpu, cores > 0 ? cores : Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            RuntimeInformation.OSDescription);
    }
}
