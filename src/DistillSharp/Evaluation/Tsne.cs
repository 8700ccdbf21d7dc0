namespace DistillSharp.Evaluation;

/// <summary>A map of points in two dimensions.</summary>
/// <param name="X">[N].</param>
/// <param name="Y">[N].</param>
/// <param name="Divergence">Kullback and Leibler's divergence that remained: the lower, the better the map.</param>
public sealed record TsneMap(float[] X, float[] Y, double Divergence);

/// <summary>
/// t-SNE (van der Maaten and Hinton, JMLR 2008): places points in the plane so that near neighbors stay near. Attraction is
/// between nearest neighbors (van der Maaten, JMLR 2014), repulsion between all. The same points, options and processor
/// give the same map, whatever the number of threads.
/// </summary>
public sealed record Tsne
{
    const double InitialDeviation = 1e-4, Jitter = 1e-6;
    const float MinGain = 0.01f;
    const int StepsOfReport = 10;

    /// <summary>How many neighbors each point is thought to have.</summary>
    public double Perplexity { get; init; } = 30;

    /// <summary>The same with the perplexity that so many points allow: a third of them, where it is higher.</summary>
    public Tsne ForPoints(int points) => this with { Perplexity = Math.Min(Perplexity, (points - 1) / 3.0) };

    /// <summary>Steps of gradient descent.</summary>
    public int Iterations { get; init; } = 1000;

    /// <summary>How much stronger the attraction is at first, so that clusters form.</summary>
    public double Exaggeration { get; init; } = 12;

    /// <summary>The steps with exaggeration and the lower momentum.</summary>
    public int ExaggeratedIterations { get; init; } = 250;

    /// <summary>Momentum of the steps with exaggeration.</summary>
    public double EarlyMomentum { get; init; } = 0.5;

    /// <summary>Momentum of the later steps.</summary>
    public double Momentum { get; init; } = 0.8;

    /// <summary>
    /// Step size; N / <see cref="Exaggeration"/>, but at least 200, when null (Belkina et al., Nature Communications 2019).
    /// </summary>
    public double? LearningRate { get; init; }

    /// <summary>Principal components to reduce the points to beforehand.</summary>
    public int Components { get; init; } = 50;

    /// <summary>
    /// Decides the tiny shift that is added to the initial positions, the first two principal components, to part points that are alike.
    /// </summary>
    public long Seed { get; init; }

    /// <summary>Threads to use; all cores when null.</summary>
    public int? Threads { get; init; }

    /// <summary>Draws the map.</summary>
    /// <param name="points">[N, D], row-major.</param>
    /// <param name="width">D.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <param name="progress">Hears of the steps.</param>
    /// <inheritdoc cref="Embed(Tensor, CancellationToken, IProgress{WorkProgress})"/>
    public TsneMap Embed(
        ReadOnlySpan<float> points, int width, CancellationToken cancel = default, IProgress<WorkProgress>? progress = null)
    {
        using var scope = TensorScope.Open();
        return Embed(Tensor.From(points, points.Length / width, width), cancel, progress);
    }

    /// <summary>Draws the map.</summary>
    /// <param name="points">[N, D]; neighbors are found on the device where they are.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <param name="progress">Hears of the steps.</param>
    /// <exception cref="UsageException">A setting is impossible, or the perplexity needs more points.</exception>
    /// <exception cref="UserException">A coordinate is not finite.</exception>
    public TsneMap Embed(Tensor points, CancellationToken cancel = default, IProgress<WorkProgress>? progress = null)
    {
        if (points.Dimensions != 2)
            throw new ArgumentException($"points have the shape [N, D], not [{string.Join(", ", points.Shape)}]", nameof(points));
        var count = (int)points.Size(0);
        Validate(count);
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        if (!points.AllFinite())
            throw new UserException(
                "t-SNE needs finite numbers, but some of the features are infinite or no number: did training diverge?");

        var reduced = PrincipalComponents.Project(points, (int)Math.Min(Components, points.Size(1)));
        var neighbors = Neighbors.Of(reduced, Math.Min(count - 1, (int)(3 * Perplexity)));
        var forces = new TsneForces(TsneAffinities.Of(neighbors, Perplexity), Threads ?? Environment.ProcessorCount);
        var (x, y) = Start(reduced);
        Descend(forces, x, y, cancel, progress);
        return new(x, y, forces.Divergence(x, y));
    }

    void Descend(TsneForces forces, float[] x, float[] y, CancellationToken cancel, IProgress<WorkProgress>? progress)
    {
        var count = x.Length;
        var rate = (float)(LearningRate ?? Math.Max(count / Exaggeration, 200));
        var (gradientX, gradientY) = (new float[count], new float[count]);
        var (stepX, stepY) = (new float[count], new float[count]);
        var (gainX, gainY) = (Enumerable.Repeat(1f, count).ToArray(), Enumerable.Repeat(1f, count).ToArray());
        for (var iteration = 0; iteration < Iterations; iteration++)
        {
            cancel.ThrowIfCancellationRequested();
            var early = iteration < ExaggeratedIterations;
            var momentum = (float)(early ? EarlyMomentum : Momentum);
            forces.Gradient(x, y, early ? (float)Exaggeration : 1, gradientX, gradientY);
            Step(x, stepX, gainX, gradientX, momentum, rate);
            Step(y, stepY, gainY, gradientY, momentum, rate);
            if ((iteration + 1) % StepsOfReport == 0)
                progress?.Report(new($"drawing the map of {count} points", iteration + 1, Iterations));
        }
        forces.Gradient(x, y, 1, gradientX, gradientY);
    }

    // The gain of a coordinate grows while its gradient keeps pointing the way it moves (Jacobs' delta-bar-delta).
    static void Step(float[] position, float[] step, float[] gain, float[] gradient, float momentum, float rate)
    {
        var mean = 0.0;
        for (var i = 0; i < position.Length; i++)
        {
            gain[i] = Math.Max(step[i] * gradient[i] < 0 ? gain[i] + 0.2f : gain[i] * 0.8f, MinGain);
            step[i] = momentum * step[i] - rate * gain[i] * gradient[i];
            position[i] += step[i];
            mean += position[i];
        }
        mean /= position.Length;
        for (var i = 0; i < position.Length; i++) position[i] -= (float)mean;
    }

    (float[] X, float[] Y) Start(Tensor reduced)
    {
        var (count, width) = ((int)reduced.Size(0), (int)reduced.Size(1));
        var values = reduced.ToArray<double>();
        var deviation = Math.Sqrt(Enumerable.Range(0, count).Sum(i => values[i * width] * values[i * width]) / count);
        var scale = deviation > 0 ? InitialDeviation / deviation : 0;
        var random = KeyedRandom.For(KeyedRandom.Purpose.Embedding, Seed);
        float Place(int i, int component) =>
            (float)((component < width ? values[i * width + component] * scale : 0)
                + Jitter * ((random[2 * i + component] >> 11) * (2.0 / (1L << 53)) - 1));
        return ([.. Enumerable.Range(0, count).Select(i => Place(i, 0))], [.. Enumerable.Range(0, count).Select(i => Place(i, 1))]);
    }

    void Validate(int count)
    {
        if (!(Perplexity >= 1 && double.IsFinite(Perplexity)))
            throw new UsageException($"a perplexity of {Perplexity} is impossible; give a number of 1 or more, such as 30");
        if (count <= Perplexity + 1)
            throw new UsageException($"a perplexity of {Perplexity} needs more than {Math.Floor(Perplexity) + 1} points, but there are "
                + $"{count}; lower it or use more images");
        if (Iterations < 1) throw new UsageException($"{Iterations} iterations draw no map; give 1 or more");
        if (ExaggeratedIterations < 0)
            throw new UsageException($"there cannot be {ExaggeratedIterations} iterations with exaggeration; give 0 or more");
        if (!(Exaggeration >= 1 && double.IsFinite(Exaggeration)))
            throw new UsageException($"an exaggeration of {Exaggeration} is impossible; give a number of 1 or more");
        if (LearningRate is { } rate && !(rate > 0 && double.IsFinite(rate)))
            throw new UsageException($"a learning rate of {rate} is impossible; give a number above 0");
        if (Components < 2) throw new UsageException($"{Components} principal components make no map; give 2 or more");
        if (Threads is < 1) throw new UsageException($"t-SNE cannot run on {Threads} threads; give 1 or more");
    }
}
