using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Tests.Methods;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>Runs that share their teacher's answers on disk end as those that ask it themselves, to the last bit.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class TeacherAnswersTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly List<string> said = [];

    public void Dispose() => folder.Dispose();

    (SortedDictionary<string, string> Content, List<string> Said, List<double?> Remembered) Train(
        string name, string method, bool shared, Precision precision = Precision.Fp32, params long[] stops)
    {
        var checkpoints = new CheckpointStore(folder[name]);
        var (told, remembered) = (new List<string>(), new List<double?>());
        foreach (var stop in stops.Append(long.MaxValue))
        {
            using var run = new TinyTraining(
                TinyTraining.Options(precision) with { TeacherFolder = shared ? folder["answers"] : null }, TinyTraining.Methods(method));
            run.Run(checkpoints, resume: true, stopAfter: stop);
            told.AddRange(run.Said);
            remembered.AddRange(run.Remembered);
        }
        return (TinyTraining.Latest(checkpoints), told, remembered);
    }

    [Theory]
    [InlineData(Precision.Fp32)]
    [InlineData(Precision.Bf16)]
    public void Other_methods_read_what_the_first_one_asked_for(Precision precision)
    {
        var first = Train("first", "kd", shared: true, precision);
        Assert.Contains(first.Said, line => line.EndsWith("0 batches of this teacher are there", StringComparison.Ordinal));
        Assert.All(first.Remembered, share => Assert.Equal(0, share));
        Assert.Equal(Train("first-alone", "kd", shared: false, precision).Content, first.Content);

        foreach (var method in new[] { "fsecd", "dkd", "kd" })
        {
            var next = Train(method, method, shared: true, precision, stops: 4);
            Assert.Contains(next.Said, line => line.EndsWith("9 batches of this teacher are there", StringComparison.Ordinal));
            Assert.Contains(
                next.Said, line => line.EndsWith($"5 of 5 batches were read from {folder["answers"]}", StringComparison.Ordinal));
            Assert.All(next.Remembered, share => Assert.Equal(1, share));
            Assert.Equal(Train($"{method}-alone", method, shared: false, precision).Content, next.Content);
        }
        Assert.Single(Files());
    }

    [Fact]
    public void Methods_that_need_more_ask_themselves()
    {
        Train("at", "at", shared: true);
        Assert.False(Directory.Exists(folder["answers"]));
    }

    string[] Files() => Directory.GetFiles(folder["answers"], "*.answers", SearchOption.AllDirectories);

    TeacherAnswers Open(long limit = 1_000_000, ulong seed = 1, Precision precision = Precision.Fp32)
    {
        using var teacher = Networks.Create("resnet8", 10, seed: seed);
        return TeacherAnswers.Open(folder["answers"], limit, teacher, precision, said.Add)!;
    }

    // The answers of a made teacher to a made batch, and whether it was asked.
    static bool Asks(TeacherAnswers answers, int batch)
    {
        var asked = false;
        using var scope = TensorScope.Open();
        var logits = Make.Values(100 + batch, 4, 10);
        var answer = answers.Answer(Make.Values(batch, 4, 3, 2, 2), () =>
        {
            asked = true;
            return new(logits, Make.Values(200 + batch, 4, 7));
        });
        Assert.Equal(logits.ToArray<float>(), answer.Logits.ToArray<float>());
        Assert.Equal(Make.Values(200 + batch, 4, 7).ToArray<float>(), answer.Pooled!.ToArray<float>());
        return asked;
    }

    [Fact]
    public void Each_teacher_and_precision_has_its_own()
    {
        using (var first = Open()) Assert.True(Asks(first, 1));
        using (var again = Open()) Assert.False(Asks(again, 1));
        using (var other = Open(seed: 2)) Assert.True(Asks(other, 1));
        using (var rounded = Open(precision: Precision.Bf16)) Assert.True(Asks(rounded, 1));
        Assert.Equal(3, Directory.GetDirectories(folder["answers"]).Length);
    }

    [Fact]
    public void What_was_damaged_or_cut_off_is_asked_for_anew()
    {
        using (var first = Open()) for (var batch = 0; batch < 3; batch++) Asks(first, batch);
        var bytes = File.ReadAllBytes(Files()[0]);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(Files()[0], bytes[..^1]);
        using var second = Open();
        Assert.Equal([false, true, true], Enumerable.Range(0, 3).Select(batch => Asks(second, batch)));
        Assert.EndsWith("2 batches of this teacher are there", said[^1]);
        using var third = Open();
        Assert.Equal([false, false], [Asks(third, 0), Asks(third, 2)]);
    }

    [Fact]
    public void The_folder_keeps_its_limit_and_what_was_not_used_for_longest_goes_first()
    {
        using (var old = Open(seed: 1)) Asks(old, 0);
        var (oldest, one) = (Directory.GetDirectories(folder["answers"]).Single(), new FileInfo(Files()[0]).Length);
        Directory.SetLastWriteTimeUtc(oldest, DateTime.UtcNow.AddDays(-2));
        using (var next = Open(limit: 2 * one, seed: 2))
            for (var batch = 0; batch < 4; batch++) Assert.True(Asks(next, batch));
        Assert.False(Directory.Exists(oldest));
        Assert.StartsWith("no more of the teacher's answers are kept", said[^1]);
        Assert.True(Files().Sum(file => new FileInfo(file).Length) <= 3 * one);
    }

    [Fact]
    public void A_folder_that_cannot_be_used_is_told_and_stops_nothing()
    {
        File.WriteAllText(folder["file"], "");
        using var run = new TinyTraining(TinyTraining.Options() with { TeacherFolder = folder["file"] }, TinyTraining.Methods("kd"));
        run.Run();
        Assert.Contains(run.Said, line => line.StartsWith("the teacher's answers are not shared: cannot use", StringComparison.Ordinal));
    }
}
