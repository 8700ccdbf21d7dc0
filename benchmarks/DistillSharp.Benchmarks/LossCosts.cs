using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Methods;
using DistillSharp.Torch;

namespace DistillSharp.Benchmarks;

/// <summary>
/// What two losses cost: FSECD's time, forward and backward, beside that of its matrix products alone, and the memory that RKD
/// takes beside what is there. Everything is measured in turns, many times; the least time counts, as all else is disturbance.
/// Prints one JSON object.
/// </summary>
static class LossCosts
{
    const int Batch = 1024, Width = 256, RkdBatch = 512;
    const int Warmup = 10;

    public static void Run(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 300;
        // First, while nothing has left memory behind that it could use again.
        var rkdMemory = RkdMemory();
        using var scope = TensorScope.Open();
        var (s, t) = (Values(Batch), Values(Batch));
        s.RequiresGrad = true;
        var labels = Tensor.From([.. Enumerable.Range(0, Batch).Select(i => i * 7L % 100)], Batch);
        var step = new DistillationStep(Output(s), Output(t), labels, Tensor.Range(0, Batch), Epoch: 1);
        // What the products are made of: the normalized features, and a matrix as large as the gradient of the similarities.
        var (z, u, G) = (Functional.Normalize(s).Detach(), Functional.Normalize(t), Tensor.Rand([Batch, Batch]));

        (string Name, Action Work)[] measured =
        [
            ("products", () => Products(z, u, G)),
            ("products_with_teachers_gradient", () => { Products(z, u, G); G.Transpose().MatMul(z); }),
            ("fsecd_instance", () => Step(new() { Policy = PositivePairs.Instance })),
            ("fsecd_class", () => Step(new() { Policy = PositivePairs.Class })),
        ];
        var times = measured.Select(_ => new List<double>()).ToArray();
        for (var round = -Warmup; round < rounds; round++)
            for (var i = 0; i < measured.Length; i++)
            {
                var milliseconds = Time(measured[i].Work);
                if (round >= 0) times[i].Add(milliseconds);
            }

        var min = measured.Zip(times).ToDictionary(pair => pair.First.Name, pair => pair.Second.Min());
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            batch = Batch,
            width = Width,
            threads = Runtime.Threads,
            rounds,
            least_ms = min.ToDictionary(pair => pair.Key, pair => Math.Round(pair.Value, 3)),
            median_ms =
                measured.Zip(times).ToDictionary(pair => pair.First.Name, pair => Math.Round(pair.Second.Order().ElementAt(rounds / 2), 3)),
            instance_over_products = Math.Round(min["fsecd_instance"] / min["products"], 3),
            class_over_products = Math.Round(min["fsecd_class"] / min["products"], 3),
            instance_over_products_with_teachers_gradient = Math.Round(min["fsecd_instance"] / min["products_with_teachers_gradient"], 3),
            rkd_batch = RkdBatch,
            rkd_extra_mb = Math.Round(rkdMemory, 1),
        }));

        void Step(Fsecd method)
        {
            method.Compute(step)[0].Value.Backward();
            Autograd.ClearGradients([s]);
        }
    }

    // S = z u' and, from its gradient G, that of z. The teacher's features are fixed, so these two are all the products there are.
    static void Products(Tensor z, Tensor u, Tensor G)
    {
        z.MatMul(u.Transpose());
        G.MatMul(u);
    }

    static double Time(Action work)
    {
        using var scope = TensorScope.Open();
        var started = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    // MB by which the process grows at its highest over a step. A first, small step has loaded all that is loaded once.
    static double RkdMemory()
    {
        Step(8);
        return ProcessMemory.PeakGrowth(() => Step(RkdBatch));

        static void Step(int batch)
        {
            using var scope = TensorScope.Open();
            var s = Values(batch);
            s.RequiresGrad = true;
            var terms =
                new Rkd()
                    .Compute(new(Output(s), Output(Values(batch)), Tensor.Zeros([batch], DType.Int64), Tensor.Range(0, batch), Epoch: 1));
            terms.Select(term => term.Value).Aggregate((sum, term) => sum + term).Backward();
        }
    }

    static Tensor Values(int batch) => Functional.Relu(Tensor.Randn([batch, Width]));

    static ClassifierOutput Output(Tensor pooled) => new(Tensor.Zeros([pooled.Size(0), 2]), pooled);
}
