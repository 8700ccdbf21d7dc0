using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Training;

namespace DistillSharp.Benchmarks;

/// <summary>
/// Times whole training steps: teacher, student forward and backward, FSECD, optimizer, through the real trainer on random
/// images. Prints one JSON object: the median step in milliseconds, images per second, memory in MB, live tensors.
/// </summary>
static class TrainingSteps
{
    public static void Run(string[] arguments)
    {
        var (teacher, student) = (arguments[0], arguments[1]);
        var precision = Enum.Parse<Precision>(arguments[2], ignoreCase: true);
        var batch = int.Parse(arguments[3], CultureInfo.InvariantCulture);
        var steps = int.Parse(arguments[4], CultureInfo.InvariantCulture);
        var device = arguments.Length > 5 ? Devices.Find(arguments[5]) : Device.Cpu;
        var classes = arguments.Length > 6 ? int.Parse(arguments[6], CultureInfo.InvariantCulture) : 100;
        var graphs = arguments.Length <= 7 || arguments[7] != "plain";
        const int warmup = 5;

        var data = RandomData((steps + warmup) * batch, classes);
        using var large = Networks.Create(teacher, data.Classes, seed: 1);
        using var small = Networks.Create(student, data.Classes, seed: 2);
        using var trainer = new Trainer(small, large, [new Fsecd()], data, new()
        {
            Epochs = 1,
            BatchSize = batch,
            Precision = precision,
            Device = device,
            CudaGraphs = graphs,
            Schedule = new ConstantSchedule { BaseRate = 0.01 },
        });
        var clock = new StepClock(warmup, steps);
        trainer.Run(clock);
        var milliseconds = clock.Milliseconds.Skip(warmup).Order().ToArray();
        var median = milliseconds[milliseconds.Length / 2];
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            step_ms = Math.Round(median, 2),
            images_per_second = Math.Round(batch / median * 1000, 1),
            peak_mb = Process.GetCurrentProcess().PeakWorkingSet64 / 1_000_000,
            live_tensors_after_warmup = clock.LiveAfterWarmup,
            live_tensors = clock.Live,
            resident_mb_half_way = clock.ResidentHalfWay,
            resident_mb = clock.Resident,
        }));
    }

    static Dataset RandomData(int count, int classes)
    {
        const int size = 32;
        var pixels = new byte[count * size * size * 3];
        new Random(1).NextBytes(pixels);
        var labels = Enumerable.Range(0, count).Select(i => i % classes).ToArray();
        string[] names = [.. Enumerable.Range(0, classes).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        var test = new ImageSet(pixels[..(100 * size * size * 3)], size, size, 3, labels[..100], names);
        return new("random", new ImageSet(pixels, size, size, 3, labels, names), test, [.5f, .5f, .5f], [.25f, .25f, .25f]);
    }

    sealed class StepClock(int warmup, int steps) : TrainingObserver
    {
        readonly Stopwatch clock = new();

        public List<double> Milliseconds { get; } = [];

        public long LiveAfterWarmup { get; private set; }

        public long Live { get; private set; }

        public long ResidentHalfWay { get; private set; }

        public long Resident { get; private set; }

        public override void Started(TrainingPlan plan) => clock.Start();

        public override void Stepped(StepReport report)
        {
            Milliseconds.Add(clock.Elapsed.TotalMilliseconds);
            Live = LiveTensors.Count;
            if (Milliseconds.Count == warmup) LiveAfterWarmup = Live;
            if (Milliseconds.Count == warmup + steps / 2) ResidentHalfWay = Environment.WorkingSet / 1_000_000;
            if (Milliseconds.Count == warmup + steps) Resident = Environment.WorkingSet / 1_000_000;
            clock.Restart();
        }
    }
}
