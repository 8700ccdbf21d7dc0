using DistillSharp.Data;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Data;

/// <summary>A teacher with a normalization and a size of its own sees the same crops as the student.</summary>
public class TeacherInputTests
{
    const int Count = 6, Seed = 4, Epoch = 3;

    static readonly float[] mean = [.1f, .2f, .3f], std = [.9f, .8f, .7f];
    static readonly Normalization students = new([.5f, .4f, .3f], [.25f, .2f, .3f]);
    static readonly ImageSet images = new(SmallFiles.Bytes(Count * 32 * 32 * 3, 7), 32, 32, 3, new int[Count], ["a"]);

    [Fact]
    public void Its_normalization_is_that_of_the_same_pixels()
    {
        var augmentation = Augmentation.CropAndFlip;
        foreach (var (index, student, teacher) in Shown(images, augmentation, new() { Mean = mean, Std = std }))
        {
            var pixels = new byte[32 * 32 * 3];
            augmentation.Apply(images.Image(index), Seed, Epoch, index, 32, 32, pixels);
            Assert.Equal(Normalized(students, pixels), student);
            Assert.Equal(Normalized(new(mean, std), pixels), teacher);
        }
    }

    [Fact]
    public void What_it_does_not_have_of_its_own_is_the_students()
    {
        foreach (var (_, student, teacher) in Shown(images, Augmentation.CropAndFlip, new() { Size = 32 })) Assert.Equal(student, teacher);
        var batch = Shown(images, Augmentation.None, new() { Std = std }).First();
        Assert.Equal(Normalized(new([.5f, .4f, .3f], std), images.Image(batch.Index).Pixels), batch.Teacher);
    }

    [Fact]
    public void Its_size_is_scaled_from_the_finished_image()
    {
        var augmentation = Augmentation.CropAndFlip;
        foreach (var (index, _, teacher) in Shown(images, augmentation, new() { Mean = mean, Std = std, Size = 48 }))
        {
            var pixels = new byte[32 * 32 * 3];
            augmentation.Apply(images.Image(index), Seed, Epoch, index, 32, 32, pixels);
            Assert.Equal(Normalized(new(mean, std), ImageScaling.Scale(new(pixels, 32, 32, 3), new(0, 0, 32, 32), 48, 48)), teacher);
        }
    }

    [Fact]
    public void A_resized_crop_takes_the_same_area_of_the_stored_image()
    {
        var augmentation = new Augmentation(new ResizedCrop { MinShare = .02 }, new Flip());
        var flat = new Normalization([0, 0, 0], [1, 1, 1]);
        var ramp = new Ramp();
        var seen = new List<(float, float)>();
        foreach (var (index, student, teacher) in Shown(ramp, augmentation, new() { Mean = [0, 0, 0], Std = [1, 1, 1], Size = 96 }, flat))
        {
            var pixels = new byte[96 * 96 * 3];
            augmentation.Apply(ramp.Original(index), Seed, Epoch, index, 96, 96, pixels);
            Assert.Equal(Normalized(flat, pixels), teacher);
            // On a ramp, where an area lies is its mean.
            Assert.InRange(Math.Abs(student.Average() - teacher.Average()), 0, .003);
            seen.Add((student.Average(), teacher.Average()));
        }
        Assert.True(seen.Max(pair => pair.Item1) - seen.Min(pair => pair.Item1) > .1, "the crops lie apart");
    }

    [Fact]
    public void To_measure_it_the_images_are_prepared_for_it()
    {
        var data = new Dataset("x", images, images, [.5f, .4f, .3f], [.25f, .2f, .3f]);
        var teachers = new TeacherInput { Mean = mean, Std = std, Size = 48 }.Of(data);
        Assert.Equal((48, 48, Count, 1), (teachers.Test.Height, teachers.Train.Width, teachers.Test.Count, teachers.Classes));
        Assert.Equal(mean, teachers.Normalization.Mean.ToArray());
        Assert.Equal(ImageScaling.Scale(images.Image(2), new(0, 0, 32, 32), 48, 48), teachers.Test.Image(2).Pixels.ToArray());
        Assert.Equal(
            images.Subset(Count - 1).AtSize(48).Image(3).Pixels.ToArray(), teachers.Test.Subset(Count - 1).Image(3).Pixels.ToArray());
        // Without augmentation the training images are the same.
        foreach (var (index, _, teacher) in Shown(images, Augmentation.None, new() { Mean = mean, Std = std, Size = 48 }))
            Assert.Equal(Normalized(teachers.Normalization, teachers.Train.Image(index).Pixels), teacher);
    }

    [Fact]
    public void Other_channels_are_refused()
    {
        var error = Assert.Throws<UsageException>(() => Loader(images, Augmentation.None, new() { Mean = [.5f], Std = [.5f] }, students));
        Assert.Equal("the teacher's normalization has 1 channels, but the images have 3", error.Message);
    }

    static IEnumerable<(int Index, float[] Student, float[] Teacher)> Shown(
        ImageSet set, Augmentation augmentation, TeacherInput input, Normalization? normalization = null)
    {
        foreach (var batch in Loader(set, augmentation, input, normalization ?? students).Epoch(Epoch))
            for (var i = 0; i < batch.Count; i++)
                yield return ((int)batch.Indices.Memory<long>()[i], Row(batch.Images, i), Row(batch.TeacherImages!, i));
    }

    static BatchLoader Loader(ImageSet set, Augmentation augmentation, TeacherInput input, Normalization normalization) =>
        new(set, normalization, BatchOptions.Training(4, Seed, augmentation) with { Teacher = input });

    static float[] Row(Tensor images, int i)
    {
        var all = images.Memory<float>();
        var size = all.Length / (int)images.Size(0);
        return all.Slice(i * size, size).ToArray();
    }

    static float[] Normalized(Normalization normalization, ReadOnlySpan<byte> pixels)
    {
        var result = new float[pixels.Length];
        normalization.Apply(pixels, result);
        return result;
    }

    // Brighter to the right and to the bottom, stored larger than it is shown.
    sealed class Ramp() : ImageSet(32, 32, 3, new int[TeacherInputTests.Count], ["a"])
    {
        const int Stored = 120;

        static readonly byte[] pixels =
            [.. Enumerable.Range(0, Stored * Stored * 3).Select(i => (byte)(i / 3 % Stored + i / 3 / Stored))];

        public override ImageView Image(int index) => throw new InvalidOperationException();

        public override ImageView Original(int index) => new(pixels, Stored, Stored, 3);
    }
}
