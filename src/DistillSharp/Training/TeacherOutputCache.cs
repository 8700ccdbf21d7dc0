using DistillSharp.Models;

namespace DistillSharp.Training;

/// <summary>
/// A teacher's output depends on the image and its variant alone. This remembers what the teacher answered, and asks it only for
/// the rest of a batch. It changes no bit of any answer. The logits' matrix product sums in another order for other batch sizes, so
/// where the head is known the pooled features are remembered and the logits are computed of all of them, as the teacher itself
/// does. Other kernels might differ as well: the first time that a size comes up the whole batch is computed besides, and the size
/// is used from then on only if every bit agrees. A resumed run may therefore begin with an empty cache.
/// </summary>
sealed class TeacherOutputCache : IDisposable
{
    // So many sizes of a batch, each with kernels of its own: the images that fill a size up are a sixteenth of a batch on average.
    const int Sizes = 8;

    readonly TeacherCachePlan plan;
    readonly Func<Tensor, ClassifierOutput> teacher;
    readonly Func<Tensor, Tensor>? head;
    readonly Action<string> say;
    readonly int step;
    readonly Trust[] trust;
    TeacherOutputStore? store;
    bool off;

    /// <param name="plan">What is remembered, and how much of it.</param>
    /// <param name="teacher">The teacher; it must give what the plan's features name, and pooled features for the head.</param>
    /// <param name="head">The teacher's way from pooled features to logits, [N, width] to [N, classes]; null where it is not known.</param>
    /// <param name="say">Told once what is remembered, or why nothing is.</param>
    public TeacherOutputCache(TeacherCachePlan plan, Func<Tensor, ClassifierOutput> teacher, Func<Tensor, Tensor>? head, Action<string> say)
    {
        (this.plan, this.teacher, this.head, this.say) = (plan, teacher, head, say);
        step = (plan.BatchSize + Sizes - 1) / Sizes;
        trust = new Trust[plan.BatchSize];
    }

    enum Trust : byte { Untested, Given, Refused }

    /// <summary>Images that were asked for since <see cref="BeginEpoch"/>.</summary>
    public long Images { get; private set; }

    /// <summary>Those of them whose answer was remembered.</summary>
    public long Remembered { get; private set; }

    /// <summary>The last batch's images that the teacher did not look at; it does at some that are remembered, to fill up a size.</summary>
    public int SkippedImages { get; private set; }

    /// <summary>Answers that are kept.</summary>
    public int Count => store?.Count ?? 0;

    /// <summary>Bytes in use.</summary>
    public long Bytes => store?.Bytes ?? 0;

    /// <summary>Starts counting anew.</summary>
    public void BeginEpoch() => (Images, Remembered) = (0, 0);

    /// <summary>The teacher's answer for a batch.</summary>
    /// <param name="images">[N, C, H, W].</param>
    /// <param name="indices">[N]: which images of the set these are, each at most once.</param>
    /// <param name="variants">[N]: the outcome of the augmentation for each.</param>
    public ClassifierOutput Answer(Tensor images, ReadOnlySpan<long> indices, ReadOnlySpan<int> variants)
    {
        using var scope = TensorScope.Open();
        Images += indices.Length;
        SkippedImages = 0;
        // The last batch of an epoch may be smaller: its answers need not be those of the usual size, to the last bit.
        var answer = off || indices.Length != plan.BatchSize ? Shown(teacher(images)) : Mixed(images, indices, variants);
        foreach (var tensor in answer.Tensors) scope.Keep(tensor);
        return answer;
    }

    ClassifierOutput Mixed(Tensor images, ReadOnlySpan<long> indices, ReadOnlySpan<int> variants)
    {
        var parts = new BatchParts(store, indices, variants);
        Remembered += parts.Known.Count;
        var size = SizeFor(parts.New.Count);
        if (size == plan.BatchSize) return Shown(Whole(images, parts));

        var asked = parts.Ask(size);
        var answers = size > 0 ? Columns(teacher(Rows(images, asked))) : null;
        var mixed = Mix(store!.Recall(parts.RowsBehind(asked.Length)), answers, parts.Order(asked.Length));
        if (trust[size] == Trust.Untested) return Shown(Tested(size, parts, asked, mixed, images));
        SkippedImages = indices.Length - size;
        // What fills the size up stands behind the new ones and is known already.
        if (answers is not null) Keep(parts, [.. Enumerable.Range(0, parts.New.Count).Select(i => (long)i)], answers);
        return Shown(new(head is not null ? head(mixed[0]) : mixed[^1], mixed[0]));
    }

    ClassifierOutput Whole(Tensor images, BatchParts parts)
    {
        var whole = teacher(images);
        Keep(parts, [.. parts.New], Columns(whole));
        return whole;
    }

    // The smallest size that is not known to give other bits.
    int SizeFor(int images)
    {
        var size = (images + step - 1) / step * step;
        while (size < plan.BatchSize && trust[size] == Trust.Refused) size += step;
        return Math.Min(size, plan.BatchSize);
    }

    ClassifierOutput Tested(int size, BatchParts parts, long[] asked, Tensor[] mixed, Tensor images)
    {
        var whole = Whole(images, parts);
        var different = head is null ? Different(mixed, Columns(whole))
            : Different([.. mixed, head(mixed[0])], [.. Columns(whole), whole.Logits]);
        trust[size] = different.Length == 0 ? Trust.Given : Trust.Refused;
        if (different.Except(asked).Any()) Forget("the teacher's answers are not remembered: it gives the same image another answer");
        return whole;
    }

    void Keep(BatchParts parts, long[] positions, Tensor[] answers)
    {
        if (off || parts.New.Count == 0) return;
        store ??= MakeStore(answers);
        store?.Add(parts.NewKeys, positions, answers);
    }

    TeacherOutputStore? MakeStore(Tensor[] answers)
    {
        // Rows that lie otherwise would be read in another order by what comes after.
        if (answers.Any(answer => answer.Dimensions != 2 || !answer.IsContiguous))
        {
            Forget("the teacher's answers are not remembered: they are not rows of numbers");
            return null;
        }
        var made = TeacherOutputStore.Create(plan.Images, plan.Variants, plan.MaxAnswers, plan.Bytes, answers);
        if (made is null) Forget($"the teacher's answers are not remembered: {DataSize.Text(plan.Bytes)} would hold next to none of them");
        else say(string.Create(CultureInfo.InvariantCulture,
            $"the teacher's answers are remembered: up to {made.Capacity:N0} of {made.BytesPerRow} bytes each, "
            + $"{100.0 * made.Capacity / plan.MaxAnswers:0} % of those that can come up"));
        return made;
    }

    void Forget(string why)
    {
        say(why);
        off = true;
        store?.Dispose();
        store = null;
    }

    // What is remembered of an answer.
    Tensor[] Columns(ClassifierOutput output) => head is not null ? [output.Pooled!]
        : [.. new[] { plan.Pooled ? output.Pooled : null, plan.Logits ? output.Logits : null }.OfType<Tensor>()];

    // A method that says it does not use the logits and does is found out at once.
    ClassifierOutput Shown(ClassifierOutput output) => new(
        plan.Logits ? output.Logits : Tensor.Full([1, 1], double.NaN, device: plan.Device).Expand(output.Pooled!.Size(0), plan.Classes),
        plan.Pooled ? output.Pooled : null);

    static Tensor[] Mix(Tensor[] recalled, Tensor[]? answers, long[] order)
    {
        var at = TeacherOutputStore.Indices(order, recalled[0].Device);
        return [.. recalled.Select((column, i) => (answers is null ? column : Tensor.Cat([answers[i], column])).IndexSelect(0, at))];
    }

    // Rows of images in channels-last order, which the rows keep.
    static Tensor Rows(Tensor images, long[] positions) =>
        images.Permute(0, 2, 3, 1).IndexSelect(0, TeacherOutputStore.Indices(positions, images.Device)).Permute(0, 3, 1, 2);

    static long[] Different(Tensor[] mixed, Tensor[] whole)
    {
        var different = new HashSet<long>();
        for (var i = 0; i < whole.Length; i++)
        {
            using var scope = TensorScope.Open();
            var (ours, theirs) = (mixed[i].To(Device.Cpu), whole[i].To(Device.Cpu));
            if (ours.DType != theirs.DType || !ours.Shape.SequenceEqual(theirs.Shape))
                return [.. Enumerable.Range(0, (int)whole[i].Size(0)).Select(row => (long)row)];
            var width = ours.Bytes().Length / (int)ours.Size(0);
            for (var row = 0; row < ours.Size(0); row++)
                if (!ours.Bytes().Slice(row * width, width).SequenceEqual(theirs.Bytes().Slice(row * width, width))) different.Add(row);
        }
        return [.. different];
    }

    /// <summary>Frees what is remembered.</summary>
    public void Dispose() => store?.Dispose();

    /// <summary>A batch by what is remembered of it.</summary>
    sealed class BatchParts
    {
        readonly List<long> rows = [];
        readonly List<(long, int)> keys = [];

        public BatchParts(TeacherOutputStore? store, ReadOnlySpan<long> indices, ReadOnlySpan<int> variants)
        {
            for (var i = 0; i < indices.Length; i++)
            {
                var row = store?.Find(indices[i], variants[i]) ?? -1;
                (row < 0 ? New : Known).Add(i);
                if (row < 0) keys.Add((indices[i], variants[i]));
                else rows.Add(row);
            }
        }

        /// <summary>Positions in the batch of what is not remembered.</summary>
        public List<long> New { get; } = [];

        /// <summary>Image and variant of each of those.</summary>
        public ReadOnlySpan<(long, int)> NewKeys => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(keys);

        /// <summary>Positions in the batch of what is.</summary>
        public List<long> Known { get; } = [];

        /// <summary>Positions of a part of some size: all that is new, filled up with the first of what is known.</summary>
        public long[] Ask(int size) => [.. New, .. Known.Take(size - New.Count)];

        /// <summary>Rows in the store of what is not asked for.</summary>
        public long[] RowsBehind(int asked) => [.. rows.Skip(asked - New.Count)];

        /// <summary>Where each image of the batch stands among what is asked for, followed by what is not.</summary>
        public long[] Order(int asked)
        {
            var order = new long[New.Count + Known.Count];
            var place = 0L;
            foreach (var position in Ask(asked).Concat(Known.Skip(asked - New.Count))) order[position] = place++;
            return order;
        }
    }
}
