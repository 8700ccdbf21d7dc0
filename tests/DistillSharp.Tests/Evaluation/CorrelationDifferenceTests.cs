using DistillSharp.Evaluation;

namespace DistillSharp.Tests.Evaluation;

public class CorrelationDifferenceTests
{
    // numpy.corrcoef of the same numbers, transposed.
    static readonly float[] values = [1, 2, 0.5f, 2, 1, 0.25f, 3, 5, -1, 4, 4, 2];

    [Fact]
    public void Correlations_are_numpys()
    {
        var found = CorrelationDifference.Correlations(values, 4, 3);
        double[,] expected = { { 1, 0.70710678, 0.34080963 }, { 0.70710678, 1, -0.1483008 }, { 0.34080963, -0.1483008, 1 } };
        for (var i = 0; i < 3; i++)
            for (var j = 0; j < 3; j++)
                Assert.Equal(expected[i, j], found[i, j], 7);
    }

    [Fact]
    public void A_student_that_scales_and_shifts_its_teachers_logits_does_not_differ()
    {
        var teacher = new NetworkOutputs(values, [0, 0, 0, 0], [0, 1, 2, 0]);
        var student = new NetworkOutputs([.. values.Select(v => 3 * v + 7)], [0, 0, 0, 0], [0, 1, 2, 0]);
        var difference = CorrelationDifference.Of(teacher, student);
        Assert.Equal(0, difference.MeanAbsolute, 6);
        Assert.Equal(3, difference.Values.GetLength(0));
    }

    [Fact]
    public void The_difference_is_the_teachers_less_the_students()
    {
        var teacher = new NetworkOutputs([1, 1, 2, 2, 3, 3], [0, 0, 0], [0, 1, 0]);
        var student = new NetworkOutputs([1, 3, 2, 2, 3, 1], [0, 0, 0], [0, 1, 0]);
        var difference = CorrelationDifference.Of(teacher, student);
        Assert.Equal(2, difference.Values[0, 1], 9);
        Assert.Equal(0, difference.Values[1, 1], 9);
        Assert.Equal(1, difference.MeanAbsolute, 9);
        Assert.Equal(2, difference.LargestAbsolute, 9);
    }

    [Fact]
    public void A_class_whose_logit_never_varies_correlates_with_itself_alone()
    {
        var found = CorrelationDifference.Correlations([1, 5, 2, 5, 3, 5], 3, 2);
        Assert.Equal(new double[,] { { 1, 0 }, { 0, 1 } }, found);
    }

    [Fact]
    public void Outputs_for_other_images_are_refused()
    {
        var teacher = new NetworkOutputs(values, [0, 0, 0, 0], [0, 1, 2, 0]);
        Assert.Throws<ArgumentException>(() => CorrelationDifference.Of(teacher, new(values, [0, 0, 0, 0], [0, 1, 2, 1])));
    }
}
