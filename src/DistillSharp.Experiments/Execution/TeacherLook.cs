using DistillSharp.Evaluation;

namespace DistillSharp.Experiments.Execution;

/// <summary>What is known of how a teacher was trained.</summary>
/// <param name="Acc1">The accuracy that it had then, in percent; null where it was not kept.</param>
/// <param name="Departures">In what its training departs from a protocol; empty when in nothing.</param>
public sealed record TeacherTraining(double? Acc1, IReadOnlyList<string> Departures);

/// <summary>A teacher as it shows itself on some of the test images, and the accuracy in percent that it is said to have, if any.</summary>
sealed record TeacherLook(string Name, Accuracy Accuracy, int TestImages, int Classes, double? Expected)
{
    // Fewer images tell nothing, and accuracies a few points apart can be of two ways to decode or to scale.
    const int FewestImages = 30, PointsBelow = 5, Deviations = 3;

    const string WhatToLookAt = "look at the normalization (teacher.mean, teacher.std), at the order of the classes, and whether the "
        + "weights' head is the trained one";

    /// <summary>Measures a teacher on at most so many test images, as many of each class. It draws nothing and changes nothing.</summary>
    public static TeacherLook Take(Classifier teacher, Dataset data, int images, double? expected, Device device, int batchSize)
    {
        teacher.To(device);
        var accuracy = Accuracy.Measure(teacher, data.Test.Subset(images), data.Normalization, device: device, batchSize: batchSize);
        return new(teacher.Name, accuracy, data.Test.Count, data.Classes, expected);
    }

    /// <summary>What was seen, in a line.</summary>
    public string Line
    {
        get
        {
            var of = Accuracy.Images == TestImages ? "" : Inv($" of {TestImages:N0}");
            return Inv($"teacher {Name}: Acc1 {Accuracy.Top1:0.0} % on {Accuracy.Images:N0}{of} test image{(TestImages == 1 ? "" : "s")}");
        }
    }

    /// <summary>What is likely wrong; null where nothing is.</summary>
    public string? Warning
    {
        get
        {
            if (Accuracy.Images < FewestImages) return null;
            if (Accuracy.Top1 <= 100.0 / Classes + Deviations * Deviation(100.0 / Classes))
            {
                var chance = (100.0 / Classes).ToString("0.##", CultureInfo.InvariantCulture);
                return $"{Seen}, where guessing is on {chance} %: {WhatToLookAt}";
            }
            return Expected is { } expected && Accuracy.Top1 < expected - Math.Max(PointsBelow, Deviations * Deviation(expected))
                ? $"{Seen}, but its card says {expected.ToString("0.0", CultureInfo.InvariantCulture)} %: {WhatToLookAt}" : null;
        }
    }

    string Seen => Inv($"the teacher {Name} is right on {Accuracy.Top1:0.0} % of {Accuracy.Images:N0} test images");

    // Of a share in percent, measured on the sample.
    double Deviation(double percent) => Math.Sqrt(percent * (100 - percent) / Accuracy.Images);

    static string Inv(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
