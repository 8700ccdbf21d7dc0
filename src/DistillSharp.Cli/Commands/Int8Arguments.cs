using DistillSharp.Experiments.Measurement;
using DistillSharp.Interop;
using DistillSharp.Onnx.Quantization;

namespace DistillSharp.Cli.Commands;

/// <summary>The options of an export in int8, and what it says.</summary>
sealed class Int8Arguments
{
    readonly CliOption<bool> int8 =
        new("--int8", "Write the ONNX graph in int8, calibrated on training images and measured on test images");
    readonly CliOption<int?> images =
        new("--calibrate", $"Training images to calibrate int8 on (default {new Int8Options().Images})", help: "N");
    readonly Option<Calibration?> calibration =
        Choice.OrNone<Calibration>("--calibration", "How ranges of int8 are found (default auto: what keeps the logits nearest)");
    readonly CliOption<string?> keep = new("--float", "Layers that stay in float32: first, last, or names", help: "LAYER,LAYER");
    readonly CliOption<string?> root =
        new("--root", "The folder that holds the data set, for int8; a run's own where it is left out", help: "DIR");

    /// <summary>The options, in the order of the help page.</summary>
    public Option[] All => [int8, images, calibration, keep, root];

    /// <summary>Whether int8 was asked for.</summary>
    /// <exception cref="UsageException">It was not, but something about it.</exception>
    public bool Given(ParseResult given)
    {
        if (given.GetValue(int8)) return true;
        var stray = new Option[] { images, calibration, keep, root }.FirstOrDefault(option => given.GetResult(option) is not null);
        return stray is null ? false : throw new UsageException($"{stray.Name} is about int8; give --int8 with it");
    }

    public int Run(ParseResult given, NetworkExport export, Terminal terminal, bool json)
    {
        if (export.Onnx is null) throw new UsageException("--int8 writes ONNX; give --onnx FILE with it");
        if ((export.SafeTensors ?? export.PyTorch ?? export.TorchSharp) is not null)
            throw new UsageException("--int8 writes ONNX only; export the other files by themselves");
        var options = new Int8Options
        {
            Images = given.GetValue(images) ?? new Int8Options().Images,
            Calibration = given.GetValue(calibration) ?? Calibration.Auto,
            KeepFloat = given.GetValue(keep)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
        };
        var source = export.Source;
        using var loaded = source.Load();
        var data = new EvaluationRequest { Source = source, Root = given.GetValue(root) }.LoadData();
        var report = WorkProgressView.During(
            terminal, progress => loaded.Network.ExportInt8(export.Onnx, data, export.Filled(loaded), options, progress));
        if (json) terminal.Json(Shown(report));
        else Print(report, data.Name, terminal);
        return 0;
    }

    static object Shown(Int8Report report) => new
    {
        report.File, report.Bytes, report.FloatBytes, report.Float.Images, FloatAcc1 = report.Float.Top1,
        FloatAcc5 = report.Float.Top5, Int8Acc1 = report.Int8.Top1, Int8Acc5 = report.Int8.Top5, report.Calibration,
        CalibrationImages = report.Images, report.Layers, report.KeptFloat, report.Costs,
    };

    static void Print(Int8Report report, string data, Terminal terminal)
    {
        var share = Text($"{report.Bytes:n0} bytes, {100.0 * report.Bytes / report.FloatBytes:0.0} % of float32's {report.FloatBytes:n0}");
        terminal.Out.WriteLine($"{report.File}: {share}");
        var accuracies = Text($"Acc1 {report.Float.Top1:0.00} % in float32, {report.Int8.Top1:0.00} % in int8");
        terminal.Out.WriteLine(Text($"{accuracies}, on {report.Int8.Images:n0} test images of {data}"));
        terminal.Out.WriteLine(report.Calibration == "trained" ? Text($"{report.Layers} layers, with the ranges that were trained")
            : Text($"{report.Layers} layers, calibrated on {report.Images:n0} training images ({report.Calibration})"));
        if (report.Costs.Count == 0) return;
        var worst = report.Costs.Where(cost => cost.Points > 0).Take(5).ToList();
        terminal.Error.WriteLine(Text($"int8 loses {report.Float.Top1 - report.Int8.Top1:0.00} points. ") + (worst.Count == 0
            ? "No layer by itself is the cause."
            : "A layer that stays in float32 alone "
                + $"gives back: {string.Join(", ", worst.Select(cost => Text($"{cost.Layer} {cost.Points:0.00}")))} (--float "
                + $"{string.Join(",", worst.Take(2).Select(cost => cost.Layer))})"));
    }

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
