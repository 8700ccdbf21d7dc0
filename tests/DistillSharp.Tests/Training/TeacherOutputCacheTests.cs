using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class TeacherOutputCacheTests
{
    const int Batch = 32, Images = 64, Variants = 3, Classes = 5, Width = 7;
    const long Plenty = 1_000_000;

    readonly List<string> said = [];
    readonly List<long> asked = [];

    static TeacherCachePlan Plan(bool pooled = true, bool logits = true, long bytes = Plenty, int epochs = 100) =>
        new(pooled, logits, Classes, Images, Variants, Batch, epochs, bytes, Device.Cpu);

    TeacherOutputCache Cache(TeacherCachePlan plan, Func<Tensor, ClassifierOutput>? teacher = null, Func<Tensor, Tensor>? head = null) =>
        new(plan, images =>
    {
        asked.Add(images.Size(0));
        return (teacher ?? Teacher)(images);
    }, head, said.Add);

    // Every number of the answer depends on every number of the image, and on nothing else.
    static ClassifierOutput Teacher(Tensor images) => new(Answers(images, Classes, 1), Answers(images, Width, 2));

    static Tensor Answers(Tensor images, int width, double factor)
    {
        var sums = images.To(DType.Float64).Sum([1, 2, 3], keep: false) * factor;
        return (sums.Unsqueeze(1) * (Tensor.Range(0, width, DType.Float64) + 1)).To(DType.Float32);
    }

    static Tensor Pictures(long[] indices, int[] variants) => Tensor.From(
        [.. indices.Zip(variants)
            .SelectMany(key => Enumerable.Range(0, 2 * 2 * 3).Select(i => (float)(key.First + 100 * key.Second + 0.01 * i)))],
        indices.Length, 2, 2, 3).Permute(0, 3, 1, 2);

    static long[] Range(int from, int count = Batch) => [.. Enumerable.Range(from, count).Select(i => (long)i)];

    static int[] Of(int variant, int count = Batch) => [.. Enumerable.Repeat(variant, count)];

    void AssertAnswers(TeacherOutputCache cache, long[] indices, int[] variants, bool pooled = true, bool logits = true)
    {
        using var scope = TensorScope.Open();
        var images = Pictures(indices, variants);
        var expected = Teacher(images);
        var given = cache.Answer(images, indices, variants);
        Assert.Equal([indices.Length, Classes], given.Logits.Shape);
        if (logits) Assert.Equal(expected.Logits.ToArray<float>(), given.Logits.ToArray<float>());
        else Assert.All(given.Logits.ToArray<float>(), value => Assert.True(float.IsNaN(value)));
        Assert.Equal(pooled ? expected.Pooled!.ToArray<float>() : null, given.Pooled?.ToArray<float>());
    }

    [Fact]
    public void The_teacher_is_asked_only_for_what_is_new_and_once_more_for_each_size_that_comes_up_first()
    {
        using var cache = Cache(Plan());
        AssertAnswers(cache, Range(0), Of(0));
        AssertAnswers(cache, Range(32), Of(0));
        Assert.Equal([32, 32], asked);
        Assert.Equal((64L, 0L, 64), (cache.Images, cache.Remembered, cache.Count));

        // All are known: the first time is checked against the teacher, the second is not.
        asked.Clear();
        AssertAnswers(cache, Range(16), Of(0));
        Assert.Equal([32], asked);
        AssertAnswers(cache, Range(8), Of(0));
        Assert.Equal([32], asked);
        Assert.Equal((Batch, 64L), (cache.SkippedImages, cache.Remembered));

        // Five are new: a part of 8, three of which are known already.
        asked.Clear();
        cache.BeginEpoch();
        int[] variants = [.. Of(0, 20), .. Of(1, 5), .. Of(0, 7)];
        AssertAnswers(cache, Range(3), variants);
        Assert.Equal([8, 32], asked);
        Assert.Equal((27L, 0, 69), (cache.Remembered, cache.SkippedImages, cache.Count));
        AssertAnswers(cache, Range(3), variants);
        Assert.Equal((Batch, 59L), (cache.SkippedImages, cache.Remembered));
        asked.Clear();
        AssertAnswers(cache, [.. Range(0).Reverse()], [.. Of(2, 6), .. Of(0, 26)]);
        Assert.Equal([8], asked);
        Assert.Equal((24, 75), (cache.SkippedImages, cache.Count));
    }

    [Fact]
    public void A_part_of_a_size_that_gives_other_bits_is_never_used()
    {
        // As float32 products do: fewer than 16 rows are summed in another order.
        ClassifierOutput Moody(Tensor images) =>
            images.Size(0) >= 16 ? Teacher(images) : new(Answers(images, Classes, 1) * 1.0000001, Answers(images, Width, 2));
        using var cache = Cache(Plan(), Moody);
        AssertAnswers(cache, Range(0), Of(0));
        var turn = 0;
        foreach (var expected in new long[][] { [4, 32], [8, 32], [12, 32], [16, 32], [16], [16] })
        {
            asked.Clear();
            // Three more are new in each turn.
            AssertAnswers(cache, Range(0), [.. Of(1, 3 * ++turn), .. Of(0, 32 - 3 * turn)]);
            Assert.Equal(expected, asked);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Where_the_head_is_known_its_own_sums_need_not_agree(bool pooled)
    {
        // As AVX2's products do: each number of rows is summed in an order of its own.
        static Tensor Head(Tensor features) => features.Narrow(1, 0, Classes) * (1 + 1e-6 * features.Size(0));
        static ClassifierOutput Network(Tensor images)
        {
            var features = Answers(images, Width, 2);
            return new(Head(features), features);
        }
        using var cache = Cache(Plan(pooled), Network, Head);
        foreach (var count in new[] { 0, 3, 6, 6, 9, 20, 20 })
        {
            using var scope = TensorScope.Open();
            var variants = (int[])[.. Of(1, count), .. Of(0, Batch - count)];
            var images = Pictures(Range(0), variants);
            var given = cache.Answer(images, Range(0), variants);
            Assert.Equal(Network(images).Logits.ToArray<float>(), given.Logits.ToArray<float>());
            Assert.Equal(pooled ? Network(images).Pooled!.ToArray<float>() : null, given.Pooled?.ToArray<float>());
        }
        // Each size was asked for once beside the whole batch, and given from then on.
        Assert.Equal([32, 4, 32, 4, 32, 4, 12, 32], asked);
        Assert.Equal((Batch, 52), (cache.SkippedImages, cache.Count));
        Assert.Equal((Images * Variants + 52 * Width) * 4L, cache.Bytes);
    }

    [Fact]
    public void A_teacher_that_answers_otherwise_each_time_is_not_remembered()
    {
        var calls = 0;
        using var cache = Cache(Plan(), images =>
        {
            var answer = Teacher(images);
            return new(answer.Logits + calls++, answer.Pooled);
        });
        for (var i = 0; i < 3; i++)
        {
            using var scope = TensorScope.Open();
            var images = Pictures(Range(0), Of(0));
            var given = cache.Answer(images, Range(0), Of(0));
            Assert.Equal((Teacher(images).Logits + i).ToArray<float>(), given.Logits.ToArray<float>());
        }
        Assert.Equal([32, 32, 32], asked);
        Assert.Equal(0, cache.Count);
        Assert.Contains("the teacher's answers are not remembered: it gives the same image another answer", said);
    }

    [Fact]
    public void The_bound_is_kept_and_what_fits_is_remembered()
    {
        const int row = (Classes + Width) * sizeof(float), table = Images * Variants * sizeof(int);
        using var cache = Cache(Plan(bytes: table + 40 * row + row - 1));
        AssertAnswers(cache, Range(0), Of(0));
        AssertAnswers(cache, Range(32), Of(0));
        Assert.Equal((40, (long)table + 40 * row), (cache.Count, cache.Bytes));
        Assert.Equal(
            "the teacher's answers are remembered: up to 40 of 48 bytes each, 21 % of those that can come up", Assert.Single(said));
        cache.BeginEpoch();
        AssertAnswers(cache, Range(32), Of(0));
        AssertAnswers(cache, Range(32), Of(0));
        Assert.Equal((16L, 8, 40), (cache.Remembered, cache.SkippedImages, cache.Count));
    }

    [Fact]
    public void Where_next_to_nothing_fits_nothing_is_remembered()
    {
        using var cache = Cache(Plan(bytes: 700));
        AssertAnswers(cache, Range(0), Of(0));
        AssertAnswers(cache, Range(0), Of(0));
        Assert.Equal([32, 32], asked);
        Assert.Equal("the teacher's answers are not remembered: 700 B would hold next to none of them", Assert.Single(said));
    }

    [Fact]
    public void Only_what_is_used_is_kept()
    {
        using var pooled = Cache(Plan(logits: false));
        using var logits = Cache(Plan(pooled: false));
        for (var i = 0; i < 3; i++)
        {
            AssertAnswers(pooled, Range(0), Of(0), logits: false);
            AssertAnswers(logits, Range(0), Of(0), pooled: false);
        }
        Assert.Equal((32L * Width * 4, 32L * Classes * 4), (pooled.Bytes - Images * Variants * 4, logits.Bytes - Images * Variants * 4));
    }

    [Fact]
    public void A_smaller_last_batch_is_the_teachers_own()
    {
        using var cache = Cache(Plan());
        AssertAnswers(cache, Range(0), Of(0));
        asked.Clear();
        AssertAnswers(cache, Range(0, 10), Of(0, 10));
        AssertAnswers(cache, Range(40, 10), Of(0, 10));
        Assert.Equal([10, 10], asked);
        Assert.Equal((32, 0L, 52L), (cache.Count, cache.Remembered, cache.Images));
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void Rows_come_back_in_the_type_they_came_in(DType type)
    {
        ClassifierOutput Typed(Tensor images) => new(Teacher(images).Logits.To(type), Teacher(images).Pooled!.To(type));
        using var cache = Cache(Plan(), Typed);
        using var scope = TensorScope.Open();
        var images = Pictures(Range(0), Of(0));
        for (var i = 0; i < 3; i++)
        {
            var given = cache.Answer(images, Range(0), Of(0));
            Assert.Equal((type, type), (given.Logits.DType, given.Pooled!.DType));
            Assert.Equal(Typed(images).Logits.Bytes(), given.Logits.Bytes());
            Assert.Equal(Typed(images).Pooled!.Bytes(), given.Pooled.Bytes());
        }
        Assert.Equal(Batch, cache.SkippedImages);
    }

    [Theory]
    [InlineData(Precision.Fp32)]
    [InlineData(Precision.Bf16)]
    public void A_networks_answers_are_its_own_to_the_last_bit_however_many_are_new(Precision precision)
    {
        using var network = Networks.Create("resnet8", 100, seed: 3);
        using var folded = network.FoldNorms();
        using var off = Autograd.NoGrad();
        using var region = precision.Enter(Device.Cpu);
        ClassifierOutput Network(Tensor images) => network.Forward(images, Features.Pooled);
        using var cache = Cache(new(true, true, 100, 64, 40, 64, 100, 100_000_000, Device.Cpu), Network, network.FindHead(16));
        using var pictures =
            Tensor.From([.. SmallFiles.Bytes(64 * 16 * 16 * 3, 5).Select(value => value / 128f - 1)], 64, 16, 16, 3).Permute(0, 3, 1, 2);
        var (variants, random, skipped) = (new int[64], new Random(1), 0);
        for (var turn = 0; turn < 40; turn++)
        {
            using var scope = TensorScope.Open();
            // Each image once more: some as before, a few in a variant of their own.
            for (var i = 0; i < 64; i++)
                if (random.Next(40) < turn) variants[i] = (variants[i] + 1) % 40;
            var images = pictures + Tensor.From<float>([.. variants.Select(variant => variant / 40f)], 64, 1, 1, 1);
            var given = cache.Answer(images, Range(0, 64), variants);
            var expected = Network(images);
            Assert.Equal(expected.Logits.Bytes(), given.Logits.Bytes());
            Assert.Equal(expected.Pooled!.Bytes(), given.Pooled!.Bytes());
            skipped += cache.SkippedImages;
        }
        Assert.InRange(skipped, 100, 64 * 40);
    }

    [Theory]
    [InlineData("resnet8")]
    [InlineData("vgg8")]
    [InlineData("wrn_16_1")]
    [InlineData("mobilenet_v2_half")]
    [InlineData("shufflenet_v1")]
    [InlineData("shufflenet_v2")]
    public void The_head_of_a_network_is_found(string name)
    {
        using var scope = TensorScope.Open();
        using var off = Autograd.NoGrad();
        using var network = Networks.Create(name, 7, seed: 3);
        using var folded = network.FoldNorms(32);
        var head = network.FindHead(32);
        var output = network.Forward(Tensor.Rand([4, 3, 32, 32]).Contiguous(MemoryFormat.ChannelsLast), Features.Pooled);
        Assert.NotNull(head);
        Assert.Equal(output.Logits.Bytes(), head(output.Pooled!).Bytes());
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        var before = LivingTensors.Count();
        using (var cache = Cache(Plan()))
        {
            for (var i = 0; i < 3; i++) AssertAnswers(cache, Range(i), [.. Of(0, 30), i, i]);
            Assert.Equal(before + 2, LivingTensors.Count());
        }
        Assert.Equal(before, LivingTensors.Count());
    }

    public static TheoryData<string, string?> Plans => new()
    {
        { "kd", null }, { "fsecd", null }, { "crd", null }, { "rkd", null },
        { "at", "a method needs more of the teacher than pooled features and logits" },
        { "ofd", "a method needs more of the teacher than pooled features and logits" },
        { "ce", "no method needs a teacher" },
    };

    [Theory]
    [MemberData(nameof(Plans))]
    public void What_methods_use_decides_what_is_remembered(string method, string? why)
    {
        var plan =
            TeacherCachePlan.For(new Objective(TinyTraining.Methods(method)), TinyTraining.Data, TinyTraining.Options(), out var reason);
        Assert.Equal(why, reason);
        Assert.Equal(why is null, plan is not null);
        if (plan is not null)
            Assert.Equal((method != "kd", method == "kd", 162, 40L), (plan.Pooled, plan.Logits, plan.Variants, plan.MaxAnswers));
    }

    [Fact]
    public void Options_decide_too()
    {
        string? Why(Func<TrainingOptions, TrainingOptions> change)
        {
            Assert.Null(TeacherCachePlan.For(new Objective([new Kd()]), TinyTraining.Data, change(TinyTraining.Options()), out var why));
            return why;
        }
        Assert.Null(Why(options => options with { TeacherMemory = 0 }));
        Assert.Equal("in a single epoch no image comes up twice", Why(options => options with { Epochs = 1 }));
        Assert.StartsWith("the augmentation has too many outcomes", Why(options => options with { Augmentation = new(new ResizedCrop()) }));
        Assert.StartsWith("a GPU's memory", Why(options => options with { Device = Device.Cuda(0) }));
    }
}
