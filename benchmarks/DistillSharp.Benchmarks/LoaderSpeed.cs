using System.Diagnostics;
using System.Globalization;
using DistillSharp.Data;
using DistillSharp.Extending;

namespace DistillSharp.Benchmarks;

/// <summary>Images/s of the loader of photographs, for loader.sh: FOLDER THREADS exact|scaled SECONDS.</summary>
static class LoaderSpeed
{
    const int Batch = 32, Warm = 4;

    public static void Run(string[] args)
    {
        var (folder, threads, seconds) =
            (args[0], int.Parse(args[1], CultureInfo.InvariantCulture), double.Parse(args[3], CultureInfo.InvariantCulture));
        var data = Toolkit.BuiltIn.Datasets["image-folder"].Load(folder, new ReadOptions(224) { ScaledDecoding = args[2] == "scaled" });
        var options = BatchOptions.Training(Batch, seed: 1, new(new ResizedCrop(), new Flip())) with { Threads = threads };
        var loader = new BatchLoader(data.Train, data.Normalization, options);
        var (number, count, clock) = (0, 0, new Stopwatch());
        for (var epoch = 1; ; epoch++)
            foreach (var batch in loader.Epoch(epoch))
            {
                if (number++ == Warm) clock.Start();
                else if (clock.IsRunning) count += batch.Count;
                if (clock.Elapsed.TotalSeconds < seconds) continue;
                Console.WriteLine((count / clock.Elapsed.TotalSeconds).ToString(CultureInfo.InvariantCulture));
                return;
            }
    }
}
