using DistillSharp.Evaluation;

namespace DistillSharp.Tests.Evaluation;

public class ConfusionTests
{
    [Fact]
    public void Rows_are_true_classes_and_columns_guesses()
    {
        var confusion = Confusion.Of([0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 2, 1], 4);
        Assert.Equal(new long[,] { { 1, 2, 0, 0 }, { 0, 1, 1, 0 }, { 0, 1, 0, 0 }, { 0, 0, 0, 0 } }, confusion.Counts);
        Assert.Equal([100.0 / 3, 50, 0, double.NaN], confusion.ClassAccuracy());
        Assert.Equal([(0, 1, 2L), (1, 2, 1L)], confusion.Commonest(2));
        Assert.Equal(3, confusion.Commonest(10).Count);
        Assert.Equal(3, confusion.Images(0));
    }

    [Fact]
    public void Guesses_of_other_images_are_refused() => Assert.Throws<ArgumentException>(() => Confusion.Of([0, 1], [0], 2));
}
