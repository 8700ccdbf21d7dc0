using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using DistillSharp;
using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Models;

// features FOLDER POINTS                made-up features: 100 clusters of 64 dimensions, cut off at 0 as by a ReLU
// features FOLDER POINTS WEIGHTS DATA   a CIFAR-100 resnet56's pooled features of the first test images
// embed FOLDER THREADS                  the map of FOLDER/features.f32, with its time and trustworthiness
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
const int Width = 64;
switch (args)
{
    case ["features", var folder, var points]:
        Write(Path.Combine(folder, "features.f32"), MadeUp(int.Parse(points)));
        return 0;
    case ["features", var folder, var points, var weights, var root]:
        var data = Datasets.Cifar100(root);
        using (var network = Networks.Create("resnet56", 100).LoadWeights(weights))
        {
            var outputs = NetworkOutputs.Of(network, data.Test, data.Normalization);
            Write(Path.Combine(folder, "features.f32"), outputs.Pooled[..(int.Parse(points) * Width)].ToArray());
        }
        return 0;
    case ["embed", var folder, var threads]:
        var features = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(folder, "features.f32"))).ToArray();
        // Once for the compiler, on few points, as Python has compiled its code beforehand too.
        new Tsne { Iterations = 30 }.Embed(features.AsSpan(0, 200 * Width), Width);
        var watch = Stopwatch.StartNew();
        var map = new Tsne { Threads = int.Parse(threads) }.Embed(features, Width);
        Console.WriteLine($"{watch.Elapsed.TotalSeconds:F1} {Trustworthiness.Of(features, Width, map):F4} {map.Divergence:F3}");
        Write(Path.Combine(folder, "map.f32"), [.. map.X.Zip(map.Y).SelectMany(p => new[] { p.First, p.Second })]);
        return 0;
    default:
        Console.Error.WriteLine("usage: see benchmarks/tsne.sh --help");
        return 2;
}

static float[] MadeUp(int points)
{
    var random = KeyedRandom.For(KeyedRandom.Purpose.Subset, seed: 1);
    double Uniform(int at) => ((random[at] >> 11) + 1) * (1.0 / (1L << 53));
    double Normal(int at) => Math.Sqrt(-2 * Math.Log(Uniform(2 * at))) * Math.Cos(2 * Math.PI * Uniform(2 * at + 1));
    const int Clusters = 100;
    var features = new float[points * Width];
    for (var i = 0; i < features.Length; i++)
    {
        var center = Normal(i / Width % Clusters * Width + i % Width);
        features[i] = (float)Math.Max(0, center + 0.6 * Normal(Clusters * Width + i));
    }
    return features;
}

static void Write(string path, float[] values) => File.WriteAllBytes(path, MemoryMarshal.AsBytes<float>(values));
