using System.Globalization;

namespace DistillSharp.Tests.Methods;

/// <summary>What Linux knows of this process's memory.</summary>
static class ProcessMemory
{
    /// <summary>By how many MB (10^6 bytes) the resident memory rose at its highest while an action ran.</summary>
    public static double PeakGrowth(Action action)
    {
        // 5: forget the highest value so far.
        File.WriteAllText("/proc/self/clear_refs", "5");
        var before = Kilobytes("VmRSS:");
        action();
        return (Kilobytes("VmHWM:") - before) * 1024 / 1e6;
    }

    static double Kilobytes(string key) =>
        double.Parse(
            File.ReadLines("/proc/self/status").Single(line => line.StartsWith(key, StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
