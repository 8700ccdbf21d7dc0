namespace DistillSharp.Torch.Optimizers;

/// <summary>
/// The exponential moving average of tensors over training steps: a = decay a + (1 - decay) w after each. It begins at the tensors as
/// they are. Whole numbers, such as counts of batches, are taken over as they are.
/// </summary>
public sealed class WeightAverage : IDisposable
{
    static readonly Operator addLists = new("aten::_foreach_add_.List"), scaleList = new("aten::_foreach_mul_.Scalar");

    readonly Tensor[] tensors, averages;
    readonly (Tensor[] Of, Tensor[] Averages) moving;

    /// <param name="tensors">What is averaged; they stay the caller's.</param>
    /// <param name="decay">The weight of the former average, from 0 to below 1.</param>
    public WeightAverage(IEnumerable<Tensor> tensors, double decay)
    {
        using var off = Autograd.NoGrad();
        this.tensors = [.. tensors];
        Decay = decay;
        averages = Array.ConvertAll(this.tensors, tensor => Tensor.ZerosLike(tensor).CopyFrom(tensor).Unscoped());
        var floating = Enumerable.Range(0, averages.Length).Where(i => averages[i].DType.IsFloatingPoint()).ToArray();
        moving = (Array.ConvertAll(floating, i => this.tensors[i]), Array.ConvertAll(floating, i => averages[i]));
    }

    /// <summary>The weight of the former average.</summary>
    public double Decay { get; }

    /// <summary>The averages, in the order of the tensors.</summary>
    public IReadOnlyList<Tensor> Averages => averages;

    /// <summary>Takes the tensors as they are now into the averages.</summary>
    public void Update()
    {
        using var off = Autograd.NoGrad();
        scaleList.CallInPlace(moving.Averages, Decay);
        addLists.CallInPlace(moving.Averages, moving.Of, 1 - Decay);
        for (var i = 0; i < averages.Length; i++)
            if (!averages[i].DType.IsFloatingPoint()) averages[i].CopyFrom(tensors[i]);
    }

    /// <summary>Puts the averages into the tensors until the result is disposed: then they hold, to the last bit, what they held.</summary>
    public IDisposable Show() => new Shown(this);

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach (var average in averages) average.Dispose();
    }

    sealed class Shown : IDisposable
    {
        readonly WeightAverage of;
        readonly Tensor[] held;

        public Shown(WeightAverage of)
        {
            using var off = Autograd.NoGrad();
            this.of = of;
            held = Array.ConvertAll(of.tensors, tensor => tensor.Clone().Unscoped());
            Copy(of.averages, of.tensors);
        }

        public void Dispose()
        {
            Copy(held, of.tensors);
            foreach (var tensor in held) tensor.Dispose();
        }

        static void Copy(Tensor[] from, Tensor[] to)
        {
            using var off = Autograd.NoGrad();
            for (var i = 0; i < to.Length; i++) to[i].CopyFrom(from[i]);
        }
    }
}
