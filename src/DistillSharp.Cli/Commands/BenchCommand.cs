using DistillSharp.Onnx.Measurement;

namespace DistillSharp.Cli.Commands;

sealed class BenchCommand : CliCommand
{
    readonly CliArgument<string[]> files =
        new("FILE", "ONNX files, the one to compare the others with first") { Arity = ArgumentArity.OneOrMore };
    readonly CliOption<string> threads = Counts("--threads", "Numbers of threads to measure with, as in 1,2");
    readonly CliOption<string> batches = Counts("--batch", "Sizes of batches to measure, as in 1,8");
    readonly CliOption<double> seconds = new("--seconds", "How long each file is run for each of these", usual: 2);
    readonly CliOption<string?> data = new("--data", "A data set whose test images give accuracies");
    readonly CliOption<string> root = new("--root", "The folder that holds the data set", usual: "data");
    readonly CliOption<int?> limit = new("--limit", "Look at no more than so many test images");

    public BenchCommand() : base("bench", "Measure ONNX files side by side: size, latency and accuracy in ONNX Runtime.",
        "distill bench student.onnx",
        "distill bench teacher.onnx student.onnx student-int8.onnx --threads 1,2 --batch 1,8 --data cifar100 --root data") =>
        Takes(files, threads, batches, seconds, data, root, limit, Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var benchmark = new OnnxBenchmark
        {
            Files = given.GetValue(files)!, Threads = Numbers(given, threads), Batches = Numbers(given, batches),
            Seconds = given.GetValue(seconds), Set = given.GetValue(data) is { } name ? Toolkit.Datasets[name] : null,
            Root = given.GetValue(root)!, Limit = given.GetValue(limit),
        };
        var measured = WorkProgressView.During(terminal, benchmark.Run);
        if (given.GetValue(Json)) terminal.Json(new { Processor = Processor.Current, Files = measured.Select(Shown) });
        else Print(measured, benchmark, terminal);
        return 0;
    }

    static object Shown(OnnxMeasurement file) => new
    {
        file.File, file.Bytes, file.Network, file.Accuracy?.Images, Acc1 = file.Accuracy?.Top1, Acc5 = file.Accuracy?.Top5,
        file.Timings,
    };

    static void Print(IReadOnlyList<OnnxMeasurement> measured, OnnxBenchmark asked, Terminal terminal)
    {
        var first = measured[0];
        Column[] accuracies = first.Accuracy is null ? []
            : [new("Acc1 %", IsNumber: true), new("Acc5 %", IsNumber: true, Drop: 1), new("images", IsNumber: true, Drop: 2)];
        var sizes = new FittingTable([new("file"), new("MB", IsNumber: true), new("size", IsNumber: true), .. accuracies]);
        foreach (var file in measured)
            sizes.Add([
                Short(file), Number(file.Bytes / 1e6, "0.00"), Number(100.0 * file.Bytes / first.Bytes, "0.0' %'"),
                .. accuracies.Length == 0 ? []
                    : new[] { Figures.Percent(file.Accuracy?.Top1), Figures.Percent(file.Accuracy?.Top5), $"{file.Accuracy?.Images}" },
            ]);
        sizes.Write(terminal);
        terminal.Out.WriteLine();

        var times = new FittingTable(
            new("file"), new("threads", IsNumber: true), new("batch", IsNumber: true), new("median ms", IsNumber: true),
            new("p95 ms", IsNumber: true, Drop: 1), new("images/s", IsNumber: true, Drop: 2), new("speed", IsNumber: true, Drop: 3))
        { ForAll = "--json has all" };
        var rows = measured.SelectMany(file => file.Timings.Select(timing => (timing, file)));
        foreach (var (timing, file) in rows.OrderBy(row => (row.timing.Threads, row.timing.Batch)))
        {
            var reference = first.Timings.FirstOrDefault(other => (other.Threads, other.Batch) == (timing.Threads, timing.Batch));
            times.Add(Short(file), $"{timing.Threads}", $"{timing.Batch}", Number(timing.MedianMs, "0.00"), Number(timing.P95Ms, "0.00"),
                Figures.Rate(timing.ImagesPerSecond), reference is null ? "" : Number(reference.MedianMs / timing.MedianMs, "0.00'x'"));
        }
        times.Write(terminal);
        foreach (var file in measured.Where(file => file.Timings.Count < asked.Threads.Count * asked.Batches.Count))
            terminal.Error.WriteLine(
                $"{file.File} takes batches of another size only and was not measured with all; export it with --dynamic-batch");
        var runs = measured.SelectMany(file => file.Timings).Select(timing => timing.Runs).DefaultIfEmpty().Min();
        terminal.Out.WriteLine(
            $"{Processor.Current.Name}, {Processor.Current.InstructionSet}, {Processor.Current.Cores} cores; each at least {runs} runs");
    }

    static string Short(OnnxMeasurement file) => Path.GetFileName(file.File);

    static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    static CliOption<string> Counts(string name, string description) => new(name, description, usual: "1", help: "N,N");

    static int[] Numbers(ParseResult given, Option<string> option) => [.. given.GetValue(option)!.Split(',').Select(part =>
        int.TryParse(part, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
            : throw new UsageException(
                $"{option.Name} takes whole numbers of 1 or more separated by commas, not '{given.GetValue(option)}'"))];
}
