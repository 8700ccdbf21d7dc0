using System.Diagnostics;
using DistillSharp.Evaluation;

namespace DistillSharp.Onnx.Measurement;

/// <summary>How long a file takes for a batch.</summary>
/// <param name="Threads">Threads of one run.</param>
/// <param name="Batch">Images of one run.</param>
/// <param name="Runs">How many runs were timed.</param>
/// <param name="MedianMs">Their median in milliseconds.</param>
/// <param name="P95Ms">What 95 of 100 runs stay within, in milliseconds.</param>
/// <param name="ImagesPerSecond">Images of all runs over the time of all runs.</param>
public sealed record OnnxTiming(int Threads, int Batch, int Runs, double MedianMs, double P95Ms, double ImagesPerSecond);

/// <summary>What was measured of a file.</summary>
/// <param name="File">The file.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Network">The network's name, where the file says it.</param>
/// <param name="Timings">One for each number of threads and size of batch that the file takes.</param>
/// <param name="Accuracy">On the test images; null where none were given.</param>
public sealed record OnnxMeasurement(string File, long Bytes, string? Network, IReadOnlyList<OnnxTiming> Timings, Accuracy? Accuracy);

/// <summary>Measures files side by side: size, speed, and where images are given, accuracy.</summary>
public sealed record OnnxBenchmark
{
    const int WarmUp = 3;
    const int MinRuns = 20;
    const int MaxRuns = 100_000;
    // Files take turns of this length, so that what else the machine does meets all of them.
    static readonly TimeSpan turn = TimeSpan.FromMilliseconds(100);

    /// <summary>The files.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Numbers of threads to measure with.</summary>
    public IReadOnlyList<int> Threads { get; init; } = [1];

    /// <summary>Sizes of batches to measure; a file whose graph takes another one only is not measured with it.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [1];

    /// <summary>For how long each file is run for each number of threads and size of batch; at least 20 runs are made.</summary>
    public double Seconds { get; init; } = 2;

    /// <summary>The data set for accuracies; null for none.</summary>
    public DatasetDescription? Set { get; init; }

    /// <summary>The folder of the data set.</summary>
    public string Root { get; init; } = "data";

    /// <summary>Look at no more than so many test images, as many of each class as it allows; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>Measures.</summary>
    /// <param name="progress">Told what is being done.</param>
    /// <exception cref="UsageException">A number is not positive, or no file was given.</exception>
    /// <exception cref="UserException">A file cannot be run, or does not fit the data set.</exception>
    public IReadOnlyList<OnnxMeasurement> Run(IProgress<WorkProgress>? progress = null)
    {
        if (Files.Count == 0) throw new UsageException("no file was given; give ONNX files to measure");
        if (Threads.Concat(Batches).Any(number => number < 1))
            throw new UsageException("threads and batches to measure with are numbers of 1 or more");
        if (!(Seconds > 0)) throw new UsageException($"{Seconds} seconds measure nothing; give more than 0");
        var timings = Files.Select(_ => new List<OnnxTiming>()).ToList();
        var accuracies = new Accuracy?[Files.Count];
        foreach (var threads in Threads)
        {
            var classifiers = new List<OnnxClassifier>();
            try
            {
                foreach (var file in Files) classifiers.Add(new(file, threads));
                foreach (var batch in Batches) Time(classifiers, batch, timings, progress);
            }
            finally { classifiers.ForEach(classifier => classifier.Dispose()); }
        }
        var measured = new List<OnnxMeasurement>();
        for (var i = 0; i < Files.Count; i++)
        {
            using var classifier = new OnnxClassifier(Files[i]);
            var accuracy = Set is null ? default(Accuracy?) : OnnxAccuracy.Measure(classifier, Images(classifier), progress);
            measured.Add(new(Files[i], classifier.Bytes, classifier.Card.Network, timings[i], accuracy));
        }
        return measured;
    }

    // Photographs come in the size that the file wants.
    Dataset Images(OnnxClassifier classifier) =>
        Set!.Load(Root, Set.HasSizes ? (int)Math.Max(classifier.ImageSize.Height, classifier.ImageSize.Width) : null).Limit(test: Limit);

    void Time(List<OnnxClassifier> classifiers, int batch, List<List<OnnxTiming>> timings, IProgress<WorkProgress>? progress)
    {
        var runs =
            classifiers.ConvertAll(classifier => classifier.Batch is { } only && only != batch ? null : new TimedRun(classifier, batch));
        foreach (var run in runs.OfType<TimedRun>())
            for (var i = 0; i < WarmUp; i++) run.Once();
        while (runs.Exists(Unfinished))
        {
            foreach (var run in runs.Where(Unfinished))
            {
                for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < turn && run!.Times.Count < MaxRuns;)
                    run.Times.Add(run.Once());
            }
            progress?.Report(new($"{classifiers[0].Threads} thread{(classifiers[0].Threads == 1 ? "" : "s")}, batch {batch}",
                (int)(1000 * Math.Min(1, runs.OfType<TimedRun>().Min(run => run.Seconds / Seconds))), 1000));
        }
        for (var i = 0; i < runs.Count; i++)
            if (runs[i] is { } run) timings[i].Add(run.Result(classifiers[i].Threads, batch));

        bool Unfinished(TimedRun? run) =>
            run is not null && run.Times.Count < MaxRuns && (run.Times.Count < MinRuns || run.Seconds < Seconds);
    }

    sealed class TimedRun
    {
        readonly Action once;

        public TimedRun(OnnxClassifier classifier, int batch)
        {
            var size = classifier.ImageSize;
            var random = new Random(1);
            var length = checked((int)(3 * batch * size.Height * size.Width));
            if (classifier.Input == OnnxInput.Pixels)
            {
                var pixels = new byte[length];
                random.NextBytes(pixels);
                once = () => classifier.Logits(pixels, batch, size);
            }
            else
            {
                var values = new float[length];
                for (var i = 0; i < length; i++) values[i] = (float)(4 * random.NextDouble() - 2);
                once = () => classifier.Logits(values, batch, size);
            }
        }

        public List<double> Times { get; } = [];

        public double Seconds => Times.Sum();

        public double Once()
        {
            var began = Stopwatch.GetTimestamp();
            once();
            return Stopwatch.GetElapsedTime(began).TotalSeconds;
        }

        public OnnxTiming Result(int threads, int batch)
        {
            var sorted = Times.Order().ToArray();
            double At(double share) => 1000 * sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
            return new(threads, batch, sorted.Length, At(.5), At(.95), batch * sorted.Length / Seconds);
        }
    }
}
