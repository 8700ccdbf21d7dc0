using System.Collections.Concurrent;

namespace DistillSharp.Data;

/// <summary>What reading every image of a data set came to.</summary>
/// <param name="Found">What there is, in a line.</param>
/// <param name="Read">Images that were read as a whole.</param>
/// <param name="Broken">Those that cannot be, in the set's order.</param>
/// <param name="Skipped">What lies beside them and was not taken, such as <c>4 .tiff</c>.</param>
public sealed record DataCheck(string Found, int Read, IReadOnlyList<ImageProblem> Broken, IReadOnlyList<string> Skipped)
{
    /// <summary>Reads every image of a data set to its last pixel, by all cores.</summary>
    /// <param name="description">The data set.</param>
    /// <param name="root">Where it lies.</param>
    /// <param name="progress">Hears of each image that was read; called from several threads, one at a time.</param>
    /// <exception cref="UserException">There is no such set, or it cannot be read at all.</exception>
    public static DataCheck Of(DatasetDescription description, string root, IProgress<WorkProgress>? progress = null)
    {
        var data = description.Load(root, new ReadOptions(description.Size, SkipDamaged: description.HasSizes) { Progress = progress });
        var (broken, done, total) =
            (new ConcurrentDictionary<(int Part, int Index), ImageProblem>(), 0, data.Train.Count + data.Test.Count);
        var turn = new Lock();
        foreach (var (part, set) in new[] { data.Train, data.Test }.Index())
            Parallel.For(0, set.Count, index =>
            {
                try
                {
                    if (set is PhotographSet photographs) _ = photographs.Stored(index);
                    else _ = set.Original(index);
                }
                catch (UserException e)
                {
                    broken[(part, index)] = e is DamagedImageException damage ? new(damage.File, damage.Why)
                        : new($"image {index}", e.Message);
                }
                lock (turn) progress?.Report(new("reading images", ++done, total));
            });
        ImageProblem[] before = [.. Damaged(data.Train), .. Damaged(data.Test)];
        return new(data.Found, total - broken.Count, [.. before, .. broken.OrderBy(one => one.Key).Select(one => one.Value)],
            [.. data.Train.LeftOut, .. data.Test.LeftOut]);
    }

    static IEnumerable<ImageProblem> Damaged(ImageSet set) =>
        set is PhotographSet photographs ? photographs.Damaged.Select(one => new ImageProblem(one.File, one.Why)) : [];
}
