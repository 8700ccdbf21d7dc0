using System.Diagnostics;
using System.Globalization;
using DistillSharp.Data;
using DistillSharp.Extending;

namespace DistillSharp.Benchmarks;

/// <summary>How long a set of shards takes to open, and how much memory, for index.sh: FOLDER.</summary>
static class IndexSpeed
{
    public static void Run(string folder)
    {
        var clock = Stopwatch.StartNew();
        var data = Toolkit.BuiltIn.Datasets["webdataset"].Load(folder);
        var opened = clock.Elapsed.TotalSeconds;
        clock.Restart();
        var options = BatchOptions.Training(32, seed: 1, new(new ResizedCrop()));
        using (var batches = new BatchLoader(data.Train, data.Normalization, options).Epoch(1).GetEnumerator()) batches.MoveNext();
        var peak = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))[6..].Trim();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{data.Train.Count:N0} images opened in {opened:0.00} s, first batch after "
            + $"{clock.Elapsed.TotalSeconds:0.00} s more; peak {peak}"));
    }
}
