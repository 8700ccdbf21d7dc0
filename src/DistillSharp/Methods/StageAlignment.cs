using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>A feature of the student and the one of the teacher that it meets: places in the networks' lists, 0 being the stem.</summary>
public readonly record struct StagePair(int Student, int Teacher);

/// <summary>
/// Lines the stages of two networks up by resolution. Every feature of the network with fewer of them meets one of the other's,
/// no two the same one, in order; of all such ways, that in which the resolutions differ least (in powers of two, summed over
/// the pairs); among equals, that in which the places in depth differ least. A pair of two stems is left out.
/// </summary>
public static class StageAlignment
{
    /// <summary>The pairs, from the first stage to the last; none where a network has no stage beside its stem.</summary>
    public static IReadOnlyList<StagePair> Of(IReadOnlyList<FeatureShape> student, IReadOnlyList<FeatureShape> teacher)
    {
        var swapped = student.Count > teacher.Count;
        var (few, many) = swapped ? (teacher, student) : (student, teacher);
        return [.. Match(few, many)
            .Select(pair => swapped ? new StagePair(pair.Many, pair.Few) : new StagePair(pair.Few, pair.Many))
            .Where(pair => pair != default)];
    }

    /// <summary>The pairs, of which there must be one.</summary>
    /// <param name="method">Who asks, for the message.</param>
    /// <param name="student">The student.</param>
    /// <param name="ofStudent">Its features: its stages or its pre-activations.</param>
    /// <param name="teacher">The teacher.</param>
    /// <param name="ofTeacher">Its features.</param>
    /// <exception cref="UserException">A network has no stage beside its stem.</exception>
    public static IReadOnlyList<StagePair> Require(
        string method, PairMember student, IReadOnlyList<FeatureShape> ofStudent, PairMember teacher, IReadOnlyList<FeatureShape> ofTeacher)
    {
        var pairs = Of(ofStudent, ofTeacher);
        return pairs.Count > 0 ? pairs : throw new UserException($"{method}: {student.Name} has {ofStudent.Count} stages and "
            + $"{teacher.Name} {ofTeacher.Count}; each must have at least one beside its stem");
    }

    /// <summary>The pairs in words, for the log: "at: student stage 1 (16x32x32) meets teacher stage 1 (64x32x32)".</summary>
    public static IReadOnlyList<string> Describe(
        string method, IEnumerable<StagePair> pairs, IReadOnlyList<FeatureShape> student, IReadOnlyList<FeatureShape> teacher) =>
        [.. pairs.Select(pair =>
            $"{method}: student stage {pair.Student} ({student[pair.Student]}) " +
            $"meets teacher stage {pair.Teacher} ({teacher[pair.Teacher]})")];

    /// <summary>Two features [N, C, H, W], each averaged down to the smaller height and width of the two.</summary>
    public static (Tensor Student, Tensor Teacher) InOneSize(Tensor student, Tensor teacher)
    {
        var size = new Size2(Math.Min(student.Size(2), teacher.Size(2)), Math.Min(student.Size(3), teacher.Size(3)));
        return (Shrink(student, size), Shrink(teacher, size));
    }

    static Tensor Shrink(Tensor features, Size2 size) =>
        features.Size(2) == size.Height && features.Size(3) == size.Width ? features : Functional.AdaptiveAvgPool2d(features, size);

    // cost[i, j] is the least cost of matching the first i of the few among the first j of the many.
    static List<(int Few, int Many)> Match(IReadOnlyList<FeatureShape> few, IReadOnlyList<FeatureShape> many)
    {
        var cost = new (double Resolution, double Depth)[few.Count + 1, many.Count + 1];
        for (var i = 1; i <= few.Count; i++)
            for (var j = i; j <= many.Count; j++)
            {
                var met = With(i, j);
                cost[i, j] = j > i && cost[i, j - 1].CompareTo(met) < 0 ? cost[i, j - 1] : met;
            }

        var pairs = new List<(int, int)>();
        for (var (i, j) = (few.Count, many.Count); i > 0; j--)
        {
            if (cost[i, j] != With(i, j)) continue;
            pairs.Add((i - 1, j - 1));
            i--;
        }
        pairs.Reverse();
        return pairs;

        (double, double) With(int i, int j) => (
            cost[i - 1, j - 1].Resolution + Math.Abs(Octaves(few[i - 1]) - Octaves(many[j - 1])),
            cost[i - 1, j - 1].Depth + Math.Abs(Depth(i - 1, few.Count) - Depth(j - 1, many.Count)));
    }

    static double Octaves(FeatureShape shape) => Math.Log2(Math.Max(1, shape.Height * shape.Width)) / 2;

    static double Depth(int place, int count) => count == 1 ? 1 : place / (count - 1.0);
}
