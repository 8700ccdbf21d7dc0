using DistillSharp.Data;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Methods;
using DistillSharp.Tests.Training;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Data;

/// <summary>Two views of an image: each a pure function of seed, epoch and image, and the second only where a method asks for it.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public class SecondViewTests
{
    const int Count = 30, Side = 8, Values = Side * Side * 3;

    static readonly ImageSet images = new(SmallFiles.Bytes(Count * Values, 4), Side, Side, 3, new int[Count], ["a"]);
    static readonly Normalization normalization = new([.5f, .4f, .3f], [.2f, .3f, .25f]);
    static readonly Augmentation strong = new(new PadAndCrop(), new Flip(), new AutoAugment());

    sealed record Seen(float[] First, float[] Second, float[]? Teachers, float[]? TeachersSecond);

    static SortedDictionary<int, Seen> Shown(
        Augmentation? second, int seed = 7, int epoch = 2, int batch = 7, int threads = 1, int skip = 0, TeacherInput? teacher = null)
    {
        var options = BatchOptions.Training(batch, seed, Augmentation.CropAndFlip) with
        {
            SecondView = second,
            Threads = threads,
            Teacher = teacher,
        };
        var seen = new SortedDictionary<int, Seen>();
        foreach (var one in new BatchLoader(images, normalization, options).Epoch(epoch, skip))
            for (var i = 0; i < one.Count; i++)
                seen.Add((int)one.Indices.Memory<long>()[i],
                    new(Of(one.Images, i)!, Of(one.SecondImages, i)!, Of(one.TeacherImages, i), Of(one.TeacherSecondImages, i)));
        return seen;

        float[]? Of(Tensor? all, int i)
        {
            if (all is null) return null;
            var size = (int)(all.Count / all.Size(0));
            return all.Memory<float>().Slice(i * size, size).ToArray();
        }
    }

    [Fact]
    public void It_is_the_image_augmented_by_draws_of_its_own()
    {
        var own = strong.OfSecondView();
        Assert.Equal(strong, own);
        var pixels = new byte[Values];
        foreach (var (index, seen) in Shown(strong))
        {
            own.Apply(images, 7, 2, index, pixels);
            Assert.Equal(Normalized(normalization, pixels), seen.Second);
        }
        // With the same steps the two differ in most images, since they are drawn apart.
        Assert.InRange(Shown(Augmentation.CropAndFlip).Values.Count(seen => seen.First.SequenceEqual(seen.Second)), 0, 2);
    }

    [Fact]
    public void It_depends_on_seed_epoch_and_image_alone_and_changes_nothing_of_the_first()
    {
        var shown = Shown(strong);
        foreach (var other in new[] { Shown(strong, batch: 4, threads: 3), Shown(strong, skip: 2) })
            foreach (var (index, seen) in other)
                Assert.Equal([.. shown[index].First, .. shown[index].Second], (float[])[.. seen.First, .. seen.Second]);
        Assert.Equal(Shown(null).Values.Select(seen => seen.First), shown.Values.Select(seen => seen.First));
        Assert.All(Shown(null).Values, seen => Assert.Null(seen.Second));
        foreach (var other in new[] { Shown(strong, seed: 8), Shown(strong, epoch: 3) })
            Assert.True(other.Count(entry => !entry.Value.Second.SequenceEqual(shown[entry.Key].Second)) > Count / 2);
    }

    [Fact]
    public void A_teacher_of_its_own_normalization_sees_both_views()
    {
        float[] mean = [.1f, .2f, .3f], std = [.9f, .8f, .7f];
        var pixels = new byte[Values];
        foreach (var (index, seen) in Shown(strong, teacher: new() { Mean = mean, Std = std }))
        {
            strong.OfSecondView().Apply(images, 7, 2, index, pixels);
            Assert.Equal(Normalized(new(mean, std), pixels), seen.TeachersSecond);
            Augmentation.CropAndFlip.Apply(images, 7, 2, index, pixels);
            Assert.Equal(Normalized(new(mean, std), pixels), seen.Teachers);
        }
    }

    static float[] Normalized(Normalization by, byte[] pixels)
    {
        var values = new float[pixels.Length];
        by.Apply(pixels, values);
        return values;
    }

    // The teacher's answers to first views are remembered beside it, and no bit depends on that.
    [Fact]
    public void A_run_is_the_same_to_the_last_bit_when_it_was_stopped_and_with_memory_and_without()
    {
        using var folder = new TemporaryFolder();
        var undisturbed = Train("undisturbed", 0);
        Assert.Equal(undisturbed.Content, Train("stopped", 0, 2, 6).Content);
        var (content, remembered) = Train("remembered", 1_000_000);
        Assert.Equal(undisturbed.Content, content);
        Assert.Contains(remembered, share => share > 0);

        (SortedDictionary<string, string> Content, List<double?> Remembered) Train(string name, long memory, params long[] stops)
        {
            var options = TinyTraining.Options() with { Augmentation = new(new Flip()), TeacherMemory = memory, Epochs = 3 };
            var checkpoints = new CheckpointStore(folder[name]);
            List<double?> shares = [];
            foreach (var stop in stops.Append(long.MaxValue))
            {
                using var run = new TinyTraining(options, new Mlld());
                run.Run(checkpoints, resume: true, stop);
                shares.AddRange(run.Remembered);
            }
            return (TinyTraining.Latest(checkpoints), shares);
        }
    }

    [Fact]
    public void Parts_of_a_batch_have_their_part_of_it()
    {
        using var whole = new TinyTraining(TinyTraining.Options() with { Accumulate = 2, Epochs = 1 }, new Mlld());
        Assert.True(whole.Run().Completed);
        Assert.Contains("mlld.instance", whole.Metrics[0].Terms.Keys);
    }

    [Fact]
    public void Mixed_images_have_no_two_views()
    {
        var options = TinyTraining.Options() with { Augmentation = new(new Flip(), new CutMix()) };
        const string refusal = "mlld compares two views of an image, and augmentation 'cutmix' mixes two images; leave one of them out";
        Assert.Equal(refusal, Assert.Throws<UsageException>(() => new TinyTraining(options, new Mlld())).Message);
        Assert.Equal(refusal, Assert.Throws<UsageException>(() => new TinyTraining(
            TinyTraining.Options() with { SecondView = new(new CutMix()) }, new Mlld())).Message);
        Assert.Equal("augmentation 'cutmix' mixes two images, and so there are no two views of one",
            Assert.Throws<UsageException>(() => Shown(new(new CutMix()))).Message);
    }

    [Fact]
    public void A_recipe_says_what_it_is_and_only_where_it_is_looked_at()
    {
        const string text =
            "data: { set: cifar100 }\nteacher: { network: resnet56, weights: a.pth }\nstudent: { network: resnet20 }\nmethods: [mlld]";
        var recipe = Recipe.Parse(text);
        Assert.Equal(new Augmentation(new PadAndCrop(), new Flip(), new AutoAugment()), recipe.ToTrainingOptions().SecondView);
        Assert.DoesNotContain("second_view", recipe.Resolve());
        var own = recipe.With("data.second_view=[trivial-augment]");
        Assert.Equal(new Augmentation(new TrivialAugment()), own.ToTrainingOptions().SecondView);
        Assert.Contains("  second_view: [trivial-augment]\n", own.Resolve());
        Assert.Equal(own.Digest, Recipe.Parse(own.Resolve()).Digest);
        Assert.NotEqual(own.Digest, recipe.Digest);
        Assert.Equal((recipe.CrossEntropyWeight, "0.9"), (.1, recipe.Methods[0].Settings["weight"]));

        Assert.Equal(
            "--set data.second_view=[flip]: data.second_view is for a method that looks at two views of an image, and there is none; "
            + "leave it out", Assert.Throws<UsageException>(() => recipe.With("methods=[kd]", "data.second_view=[flip]")).Message);
        foreach (var mixing in new[] { "data.augment=[flip, mixup]", "data.second_view=[mixup]" })
            Assert.Equal("the recipe:4: mlld compares two views of an image, and mixup mixes two images; leave one of them out",
                Assert.Throws<UsageException>(() => recipe.With(mixing)).Message);
        var photographs = recipe.With("data.set=imagenet").ToTrainingOptions() with { Protocol = Protocol.ImageNet };
        Assert.Equal(new AutoAugment { Policy = AutoAugmentPolicy.Imagenet }, photographs.SecondView.Steps[^1]);
    }
}
