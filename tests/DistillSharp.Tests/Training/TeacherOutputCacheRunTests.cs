using DistillSharp.Data;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>Whole runs whose images come up again and again: what the cache of teacher outputs does changes no bit of them.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class TeacherOutputCacheRunTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    // 20 images in two variants each: from the second epoch on half are known, and more with each.
    static TrainingOptions Options(Precision precision, long? memory) =>
        TinyTraining.Options(precision) with { Epochs = 6, Augmentation = new(new Flip()), TeacherMemory = memory };

    public static TheoryData<string, Precision> Cases => new()
    {
        { "kd", Precision.Fp32 }, { "kd", Precision.Bf16 }, { "fsecd", Precision.Fp32 }, { "fsecd", Precision.Bf16 },
            { "crd", Precision.Bf16 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_run_is_the_same_to_the_last_bit_with_memory_and_without(string method, Precision precision)
    {
        var without = Train("without", method, precision, memory: 0);
        var with = Train("with", method, precision, memory: 1_000_000);
        var bounded = Train("bounded", method, precision, memory: 160 + 12 * 1280);

        Assert.All(without.Remembered, Assert.Null);
        Assert.Equal(Expected(), with.Remembered);
        Assert.Equal(without.Content, with.Content);
        Assert.Equal(without.Content, bounded.Content);
        Assert.Equal(without.Steps, with.Steps);
        Assert.Equal(without.Steps, bounded.Steps);
    }

    [Theory]
    [InlineData("kd")]
    [InlineData("fsecd")]
    public void A_run_that_was_stopped_ends_as_one_that_was_not_with_an_empty_memory_each_time(string method)
    {
        var undisturbed = Train("undisturbed", method, Precision.Bf16, 1_000_000);
        var stopped = Train("stopped", method, Precision.Bf16, 1_000_000, 5, 11, 13);
        Assert.Equal(undisturbed.Content, stopped.Content);
        Assert.Equal(undisturbed.Steps, stopped.Steps);
        Assert.NotEqual(undisturbed.Remembered, stopped.Remembered);
    }

    [Fact]
    public void A_size_that_is_asked_for_in_vain_is_told()
    {
        using var run = new TinyTraining(Options(Precision.Fp32, 1_000_000), TinyTraining.Methods("at"));
        run.Run();
        Assert.Contains(
            "the teacher's answers are not remembered: a method needs more of the teacher than pooled features and logits", run.Said);
    }

    // What the draws say: an image of a full batch is known if one of its earlier epochs showed it alike in a full batch.
    static double?[] Expected()
    {
        var options = Options(Precision.Fp32, null);
        var loader =
            new BatchLoader(
                TinyTraining.Data.Train, TinyTraining.Data.Normalization,
                BatchOptions.Training(options.BatchSize, options.Seed, options.Augmentation));
        var known = new HashSet<(long, int)>();
        return [.. Enumerable.Range(1, options.Epochs).Select(epoch =>
        {
            var (met, all) = (0, 0);
            foreach (var batch in loader.Epoch(epoch))
            {
                all += batch.Count;
                if (batch.Count < options.BatchSize) continue;
                for (var i = 0; i < batch.Count; i++)
                    if (!known.Add((batch.Indices.Memory<long>()[i], batch.Variants[i]))) met++;
            }
            return (double?)met / all;
        })];
    }

    (SortedDictionary<string, string> Content, string[] Steps, List<double?> Remembered) Train(
        string name, string method, Precision precision, long? memory, params long[] stops)
    {
        var checkpoints = new CheckpointStore(folder[name]);
        var (steps, remembered) = (new List<string>(), new List<double?>());
        foreach (var stop in stops.Append(long.MaxValue))
        {
            using var run = new TinyTraining(Options(precision, memory), TinyTraining.Methods(method));
            run.Run(checkpoints, resume: true, stopAfter: stop);
            steps.AddRange(
                run.Steps.Select(step => $"{step.Step} {string.Join(' ', step.Terms.Select(term => $"{term.Name} {term.Value:R}"))}"));
            remembered.AddRange(run.Remembered);
        }
        return (TinyTraining.Latest(checkpoints), [.. steps], remembered);
    }
}
