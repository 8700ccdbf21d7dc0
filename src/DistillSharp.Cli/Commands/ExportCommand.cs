using DistillSharp.Interop;
using DistillSharp.Interop.Onnx;

namespace DistillSharp.Cli.Commands;

sealed class ExportCommand : CliCommand
{
    readonly NetworkOptions network = new();
    readonly CliOption<string?> onnx = new("--onnx", "Write ONNX: input images, output logits", help: "FILE");
    readonly CliOption<string?> safetensors = new("--safetensors", "Write the weights as safetensors", help: "FILE");
    readonly CliOption<string?> pth = new("--pth", "Write the weights as a PyTorch state dict", help: "FILE");
    readonly CliOption<string?> torchsharp = new("--torchsharp", "Write the weights for Module.load of TorchSharp", help: "FILE");
    readonly Int8Arguments int8 = new();
    readonly CliOption<int?> opset = new("--opset", $"ONNX's operator set, {OnnxOptions.OldestOpset} to {OnnxOptions.NewestOpset} (default "
        + $"{OnnxOptions.UsualOpset}; with preprocessing {OnnxOptions.ResizingOpset})");
    readonly CliOption<int?> batch = new("--batch", "Images of one batch of the ONNX graph (default 1)");
    readonly CliOption<bool> dynamicBatch = new("--dynamic-batch", "Let the ONNX graph take batches of any size");
    readonly CliOption<bool> withPreprocessing = new(
        "--with-preprocessing", "Let the ONNX graph resize and normalize: its input is then uint8 [N, H, W, 3], RGB, 0..255, of any size");
    readonly CliOption<bool> keepNorms = new("--keep-batch-norm", "Do not fold batch norms into convolutions");

    public ExportCommand() : base("export", "Write a trained network as ONNX, safetensors, a PyTorch state dict or TorchSharp's state.",
        "distill export runs/resnet56-resnet20-fsecd-s1 --onnx student.onnx --dynamic-batch",
        "distill export --model resnet56 --weights resnet56.pth --data cifar100 --onnx resnet56.onnx --with-preprocessing",
        "distill export runs/resnet56-resnet20-fsecd-s1 --onnx student-int8.onnx --int8",
        "distill export runs/resnet56-resnet20-fsecd-s1 --pth student.pth --safetensors student.safetensors") =>
        Takes([
            network.Run, onnx, safetensors, pth, torchsharp, .. network.All,
            opset, batch, dynamicBatch, withPreprocessing, keepNorms, .. int8.All, Json,
        ]);

    public override int Run(ParseResult given, Terminal terminal)
    {
        if (given.GetValue(dynamicBatch) && given.GetValue(batch) is not null)
            throw new UsageException("--batch and --dynamic-batch contradict each other; take one of them");
        var export = new NetworkExport
        {
            Source = network.Source(given, given.GetValue(network.Run), Toolkit, terminal),
            Onnx = given.GetValue(onnx), SafeTensors = given.GetValue(safetensors), PyTorch = given.GetValue(pth),
            TorchSharp = given.GetValue(torchsharp),
            Options = new()
            {
                Opset = given.GetValue(opset), Batch = given.GetValue(batch) ?? 1, DynamicBatch = given.GetValue(dynamicBatch),
                WithPreprocessing = given.GetValue(withPreprocessing), FoldBatchNorm = !given.GetValue(keepNorms),
            },
        };
        if (int8.Given(given)) return int8.Run(given, export, terminal, given.GetValue(Json));
        if ((export.Onnx ?? export.SafeTensors ?? export.PyTorch ?? export.TorchSharp) is null)
            throw new UsageException("nothing to write: give --onnx FILE, --safetensors FILE, --pth FILE or --torchsharp FILE");
        var written = export.Write();
        var files = written.Select(path => new { File = path, Bytes = new FileInfo(path).Length }).ToList();
        if (given.GetValue(Json)) terminal.Json(files);
        else files.ForEach(file => terminal.Out.WriteLine($"{file.File}: {file.Bytes:n0} bytes"));
        return 0;
    }
}
