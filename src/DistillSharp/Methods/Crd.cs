using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Contrastive representation distillation. Tian, Krishnan, Isola: Contrastive Representation Distillation, ICLR 2020,
/// arXiv 1910.10699, equations 8 to 19, estimated against memories as in the published code. For a sample i of the n samples of
/// the training set, with the K negatives j drawn for it:
/// <code>
/// v    = normalize(embed(x)),   x the pooled features of student or teacher
/// P_j  = exp( &lt;v_i, m_j&gt; / tau ) / Z,   m the other network's memory, Z = n * mean of exp(.) at the first step
/// h_i  = log( P_i / (P_i + K/n) ) + sum_j log( (K/n) / (P_j + K/n) )
/// L    = -1/N sum_i ( h_i(student, teacher's memory) + h_i(teacher, student's memory) )
/// m_i := normalize( momentum m_i + (1 - momentum) v_i )   after the loss, in both memories
/// </code>
/// With x_j = log( P_j n/K ) this is h_i = x_i - softplus(x_i) - sum_j softplus(x_j), which needs no epsilon under a logarithm.
/// </summary>
[Method("-h(student, teacher's memory) - h(teacher, student's memory): noise-contrastive estimation",
    "Tian, Krishnan, Isola, ICLR 2020, arXiv 1910.10699",
    "the published code's")]
public sealed class Crd() : DistillationMethod(Features.Pooled)
{
    Linear? student, teacher;
    Tensor? studentMemory, teacherMemory, z;
    NegativeDraws? draws;
    bool normalized;

    public override string Name => "crd";

    public override bool IsRecordable => true;

    public override bool NeedsOneLabel => true;

    protected override double DefaultWeight => 0.8;

    /// <summary>Width of v.</summary>
    [Setting("dimensions that both features are embedded in", AtLeast = 1)]
    public int FeatureDim { get; set; } = 128;

    /// <summary>K.</summary>
    [Setting("negatives for each sample of a batch", AtLeast = 1)]
    public int Negatives { get; set; } = 16384;

    /// <summary>tau.</summary>
    [Setting("divides the similarities", Above = 0)]
    public double Temperature { get; set; } = 0.07;

    /// <summary>The share that a memory keeps of what it held.</summary>
    [Setting("share of the former value that a memory keeps", AtLeast = 0, Below = 1)]
    public double Momentum { get; set; } = 0.5;

    /// <summary>What is no negative.</summary>
    [Setting("negatives exclude the sample's own class (exact) or only itself (relax)")]
    public NegativeSampling Sampling { get; set; } = NegativeSampling.Exact;

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        Require(FeatureDim > 0, "feature_dim", FeatureDim, "1 or more");
        Require(Negatives > 0, "negatives", Negatives, "1 or more");
        Require(Temperature > 0, "temperature", Temperature, "greater than 0");
        Require(Momentum is >= 0 and < 1, "momentum", Momentum, "0 or more, and less than 1");
        draws = new(pair.Labels, Sampling, pair.Seed);
        if (!draws.Possible)
            throw new UserException($"crd: the {pair.Samples} samples of the training set hold no negatives; it needs "
                + $"{(Sampling == NegativeSampling.Exact ? "samples of two classes" : "two samples")}");

        student = Child("embed_s.linear", new Linear(pair.Student.Shapes.PooledWidth, FeatureDim));
        teacher = Child("embed_t.linear", new Linear(pair.Teacher.Shapes.PooledWidth, FeatureDim));
        studentMemory = Buffer("memory_student", Memory(pair.Samples));
        teacherMemory = Buffer("memory_teacher", Memory(pair.Samples));
        z = Buffer("z", Tensor.Full([2], -1, DType.Float64));
        return [$"crd: {Negatives} negatives from two memories of {pair.Samples} x {FeatureDim}"];
    }

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        return [new(Name, scope.Keep(Contrast(step, Contrasts(step))))];
    }

    /// <summary>Computes the loss for contrasts that the caller chose, and updates the memories.</summary>
    /// <param name="step">The step.</param>
    /// <param name="contrasts">int64 [N, 1 + K]: each sample's own index, then its negatives'.</param>
    public Tensor Contrast(DistillationStep step, Tensor contrasts)
    {
        using var scope = TensorScope.Open();
        var vs = V(student!, step.Student.Pooled!);
        var vt = V(teacher!, step.Teacher.Pooled!);
        using var precise = Precision.Fp32.Enter(vs.Device);
        if (!normalized) Normalize(vs, vt, contrasts, step.Peers);
        var loss = MinusH(vs, teacherMemory!, contrasts, z!.Select(0, 0)) + MinusH(vt, studentMemory!, contrasts, z.Select(0, 1));
        // Of all processes, so that their memories stay the same.
        var (indices, both) = (step.Peers.Gather(step.Indices), step.Peers.Gather(Tensor.Cat([vs.Detach(), vt.Detach()], 1)));
        Remember(studentMemory!, both.Narrow(1, 0, FeatureDim), indices);
        Remember(teacherMemory!, both.Narrow(1, FeatureDim, FeatureDim), indices);
        return scope.Keep(loss);
    }

    Tensor Contrasts(DistillationStep step)
    {
        // A processor does not draw more than it needs, and by all its cores; a GPU is not waited for.
        if (step.Indices.Device.Type != DeviceType.Cpu)
            return Tensor.Cat([step.Indices.Unsqueeze(1), draws!.Rows(step.Indices, Negatives, step.Epoch)], 1);
        var own = step.Indices.Memory<long>().ToArray();
        var contrasts = Tensor.Empty([own.Length, 1 + Negatives], DType.Int64);
        Parallel.For(0, own.Length, i =>
        {
            var row = contrasts.Memory<long>().Slice(i * (1 + Negatives), 1 + Negatives);
            row[0] = own[i];
            draws!.Fill(row[1..], own[i], step.Epoch);
        });
        return contrasts;
    }

    // -1/N sum_i h_i. The memory is no part of the graph, so the pieces' graphs may end before the memory changes.
    Tensor MinusH(Tensor v, Tensor m, Tensor contrasts, Tensor Z)
    {
        var (N, K, n) = (v.Size(0), contrasts.Size(1) - 1, m.Size(0));
        var logZKn = (Z * (K / (double)n)).Log().To(DType.Float32);
        var rows = RowsAtOnce(m, contrasts);
        return KnownGradient.Sum(
            (int)((N + rows - 1) / rows),
            (piece, v) =>
            {
                var (first, count) = (piece * rows, Math.Min(rows, N - piece * rows));
                var x = Similarities(v.Narrow(0, first, count), m, contrasts.Narrow(0, first, count)) / Temperature - logZKn;
                return (x.Softplus().Sum() - x.Select(1, 0).Sum()) / N;
            },
            v);
    }

    // <v_i, m_j> for the j of each row: [N, 1 + K]. Multiplying with the whole memory and choosing afterwards costs less than
    // gathering rows of the memory until it is several times as long as a row of contrasts.
    static Tensor Similarities(Tensor v, Tensor m, Tensor contrasts) => MultipliesWhole(m, contrasts)
        ? v.MatMul(m.Transpose()).Gather(1, contrasts)
        : m.IndexSelect(0, contrasts.Flatten()).Reshape(v.Size(0), -1, v.Size(1)).MatMul(v.Unsqueeze(2)).Squeeze(2);

    static bool MultipliesWhole(Tensor m, Tensor contrasts) => m.Size(0) <= 8 * contrasts.Size(1);

    // So that a piece takes about 64 MiB.
    static long RowsAtOnce(Tensor m, Tensor contrasts) =>
        Math.Max(1, (1 << 24) / (MultipliesWhole(m, contrasts) ? m.Size(0) : contrasts.Size(1) * m.Size(1)));

    // Sets Z of both networks, unless a checkpoint brought them.
    void Normalize(Tensor vs, Tensor vt, Tensor contrasts, BatchPeers peers)
    {
        using var off = Autograd.NoGrad();
        normalized = true;
        if (z!.Select(0, 0).Item() > 0) return;
        var all = peers.Alone ? contrasts.Count : peers.Images * contrasts.Size(1);
        z.CopyFrom(peers.Sum(Tensor.Stack([Z(vs, teacherMemory!), Z(vt, studentMemory!)])));

        Tensor Z(Tensor v, Tensor m)
        {
            using var scope = TensorScope.Open();
            var rows = RowsAtOnce(m, contrasts);
            var sum = Tensor.Scalar(0, DType.Float64, v.Device);
            for (long first = 0; first < v.Size(0); first += rows)
            {
                using var inner = TensorScope.Open();
                var count = Math.Min(rows, v.Size(0) - first);
                var similarities = Similarities(v.Narrow(0, first, count), m, contrasts.Narrow(0, first, count));
                sum.AddInPlace((similarities / Temperature).To(DType.Float64).Exp().Sum());
            }
            return scope.Keep(sum * (m.Size(0) / (double)all));
        }
    }

    void Remember(Tensor memory, Tensor v, Tensor indices)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var moved = memory.IndexSelect(0, indices) * Momentum + v * (1 - Momentum);
        memory.IndexCopyInPlace(0, indices, Functional.Normalize(moved));
    }

    // As the published code begins: uniform, with the length that 3 dimensions would give.
    Tensor Memory(int samples)
    {
        var bound = 1 / Math.Sqrt(FeatureDim / 3.0);
        return Tensor.Empty([samples, FeatureDim]).UniformInPlace(-bound, bound);
    }

    static Tensor V(Linear embed, Tensor x) => Functional.Normalize(embed.Forward(x).To(DType.Float32));

    public override void Dispose()
    {
        draws?.Dispose();
        base.Dispose();
    }
}
