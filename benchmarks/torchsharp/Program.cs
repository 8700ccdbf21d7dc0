// The TorchSharp peer of `DistillSharp.Benchmarks steps`: the same networks, step and loss, written as TorchSharp's users do.
// Usage: TEACHER STUDENT fp32 BATCH STEPS, of resnet20, resnet56, resnet8x4, resnet32x4. Prints one JSON object.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

const int warmup = 5;
var (batch, steps) = (int.Parse(args[3], CultureInfo.InvariantCulture), int.Parse(args[4], CultureInfo.InvariantCulture));
random.manual_seed(1);
set_num_threads(Environment.ProcessorCount);
using var teacher = ResNet.Named(args[0]);
using var student = ResNet.Named(args[1]);
teacher.eval();
student.train();
using var embed = nn.Linear(student.Width, teacher.Width);
var same = student.Width == teacher.Width;
var parameters = same ? student.parameters() : student.parameters().Concat(embed.parameters());
using var optimizer = optim.SGD(parameters, 0.01, momentum: 0.9, weight_decay: 5e-4);
var batches = Enumerable.Range(0, 8).Select(_ => (Images: randn(batch, 3, 32, 32), Labels: randint(0, 100, [batch], int64))).ToArray();
using var own = arange(batch, int64);
var times = new List<double>();
for (var step = 0; step < steps + warmup; step++)
{
    var clock = Stopwatch.StartNew();
    using var scope = NewDisposeScope();
    var (images, labels) = batches[step % batches.Length];
    Tensor t;
    using (no_grad()) t = teacher.Features(images);
    var s = student.Features(images);
    var loss = F.cross_entropy(student.Logits(s), labels);
    var z = same ? s : embed.call(s);
    loss += F.cross_entropy(F.normalize(z).mm(F.normalize(t).t()) / 0.1, own);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    loss.item<float>();
    times.Add(clock.Elapsed.TotalMilliseconds);
}
var measured = times.Skip(warmup).Order().ToArray();
var median = measured[measured.Length / 2];
Console.WriteLine(JsonSerializer.Serialize(new
{
    step_ms = Math.Round(median, 2),
    images_per_second = Math.Round(batch / median * 1000, 1),
    peak_mb = Process.GetCurrentProcess().PeakWorkingSet64 / 1_000_000,
}));

sealed class Block : nn.Module<Tensor, Tensor>
{
    readonly Conv2d conv1, conv2;
    readonly BatchNorm2d bn1, bn2;
    readonly Sequential? downsample;

    public Block(int inputs, int outputs, int stride) : base("block")
    {
        (conv1, bn1) = (nn.Conv2d(inputs, outputs, 3, stride: stride, padding: 1, bias: false), nn.BatchNorm2d(outputs));
        (conv2, bn2) = (nn.Conv2d(outputs, outputs, 3, padding: 1, bias: false), nn.BatchNorm2d(outputs));
        if (stride != 1 || inputs != outputs)
            downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride: stride, bias: false), nn.BatchNorm2d(outputs));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        var x = F.relu(bn1.call(conv1.call(input)), inplace: true);
        return F.relu(bn2.call(conv2.call(x)) + (downsample?.call(input) ?? input));
    }
}

sealed class ResNet : nn.Module<Tensor, Tensor>
{
    readonly Sequential layers;
    readonly Linear fc;

    ResNet(int depth, int[] widths) : base("resnet")
    {
        var modules = new List<nn.Module<Tensor, Tensor>>
        {
            nn.Conv2d(3, widths[0], 3, padding: 1, bias: false), nn.BatchNorm2d(widths[0]), nn.ReLU(),
        };
        var width = widths[0];
        for (var stage = 1; stage < widths.Length; stage++)
            for (var i = 0; i < (depth - 2) / 6; i++, width = widths[stage])
                modules.Add(new Block(width, widths[stage], stage > 1 && i == 0 ? 2 : 1));
        (layers, fc, Width) = (nn.Sequential(modules), nn.Linear(width, 100), width);
        RegisterComponents();
    }

    public int Width { get; }

    public static ResNet Named(string name)
    {
        var wide = name.EndsWith("x4", StringComparison.Ordinal);
        var depth = int.Parse(name.AsSpan("resnet".Length, name.Length - "resnet".Length - (wide ? 2 : 0)), CultureInfo.InvariantCulture);
        return new(depth, wide ? [32, 64, 128, 256] : [16, 16, 32, 64]);
    }

    public Tensor Features(Tensor images) => layers.call(images).mean([2, 3]);

    public Tensor Logits(Tensor pooled) => fc.call(pooled);

    public override Tensor forward(Tensor input) => Logits(Features(input));
}
