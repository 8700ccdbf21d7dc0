using DistillSharp.Evaluation;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Evaluation;

public class TsneTests
{
    const int Clusters = 6, Each = 40, Width = 16;

    [Fact]
    public void Clusters_stay_together_and_neighbors_neighbors()
    {
        var points = Clustered();
        var map = new Tsne().Embed(points, Width);
        Assert.True(map.Divergence is > 0 and < 1.5, $"divergence {map.Divergence}");
        Assert.Equal(1.0, NearestOfOwnCluster(map), 2);
        Assert.True(Trustworthiness.Of(points, Width, map) > 0.95, $"trustworthiness {Trustworthiness.Of(points, Width, map)}");
    }

    [Fact]
    public void The_same_seed_gives_the_same_map_on_any_number_of_threads_and_another_seed_another()
    {
        var points = Clustered();
        var brief = new Tsne { Iterations = 60, Threads = 1 };
        var told = new Heard();
        var map = brief.Embed(points, Width, progress: told);
        Assert.Equal(Enumerable.Range(1, 6).Select(i => (10L * i, 60L)), told.Steps.Select(step => (step.Done, step.Total)));
        Assert.Equal(map.X, (brief with { Threads = 3 }).Embed(points, Width).X);
        Assert.NotEqual(map.X, (brief with { Seed = 1 }).Embed(points, Width).X);
    }

    [Fact]
    public void The_gradient_is_that_of_the_divergence()
    {
        using var scope = TensorScope.Open();
        var points = Tensor.From(Clustered(), Clusters * Each, Width).To(DType.Float64);
        var affinities = TsneAffinities.Of(Neighbors.Of(points, 90), 30);
        Assert.Equal(1, affinities.Values.Sum(), 1e-4);
        var forces = new TsneForces(affinities, 2);
        var random = new Random(5);
        var (x, y) = (Normal(random), Normal(random));
        var (gradientX, gradientY) = (new float[x.Length], new float[x.Length]);

        double At(float[] px, float[] py)
        {
            forces.Gradient(px, py, 1, gradientX, gradientY);
            return forces.Divergence(px, py);
        }

        foreach (var i in new[] { 0, 17, Clusters * Each - 1 })
        {
            const float h = 0.02f;
            var (up, down) = ((float[])x.Clone(), (float[])x.Clone());
            up[i] += h;
            down[i] -= h;
            var slope = (At(up, y) - At(down, y)) / (2 * h);
            At(x, y);
            Assert.Equal(slope, 4 * gradientX[i], 2e-5);
            Assert.True(Math.Abs(slope) > 1e-4, "a slope that could be told from 0");
        }
    }

    [Fact]
    public void Each_row_has_the_perplexity_asked_for()
    {
        using var scope = TensorScope.Open();
        var points = Tensor.From(Clustered(), Clusters * Each, Width).To(DType.Float64);
        var neighbors = Neighbors.Of(points, 60);
        var affinities = TsneAffinities.Of(neighbors with { Indices = [.. neighbors.Indices] }, 20);
        // Symmetry: the sum over all rows of the entries equals the sum over columns.
        for (var i = 0; i < Clusters * Each; i += 37)
            for (var entry = affinities.Starts[i]; entry < affinities.Starts[i + 1]; entry++)
            {
                var j = affinities.Columns[entry];
                var back = Array.BinarySearch(affinities.Columns, affinities.Starts[j], affinities.Starts[j + 1] - affinities.Starts[j], i);
                Assert.Equal(affinities.Values[entry], affinities.Values[back]);
            }
        // Points on a ring have neighborhoods all alike: every row's entropy can be read from the joint one.
        const int ring = 300;
        var flat =
            Enumerable.Range(0, ring).SelectMany(i => new[] { Math.Cos(2 * Math.PI * i / ring), Math.Sin(2 * Math.PI * i / ring) })
                .ToArray();
        var alike = TsneAffinities.Of(Neighbors.Of(Tensor.From(flat, ring, 2), 60), 20);
        var entropy = -alike.Values.Where(p => p > 0).Sum(p => p * Math.Log(p * ring));
        Assert.Equal(20, Math.Exp(entropy), 0.1);
    }

    [Fact]
    public void Neighbors_are_the_nearest_and_never_the_point_itself()
    {
        using var scope = TensorScope.Open();
        // Two pairs of equal points.
        var points = Tensor.From(new double[] { 0, 0, 0, 0, 3, 0, 3, 0, 10, 0 }, 5, 2);
        var found = Neighbors.Of(points, 2);
        Assert.Equal([1, 0, 3, 2], new[] { 0, 2, 4, 6 }.Select(at => found.Indices[at]));
        Assert.Equal([0, 9, 0, 9, 0, 9, 0, 9, 49, 49], found.SquaredDistances);
        Assert.Equal([2, 3], found.Indices[8..].Order());
    }

    [Fact]
    public void Equal_points_do_not_break_the_map()
    {
        var map = new Tsne { Iterations = 300 }.Embed(new float[60 * 3], 3);
        Assert.All(map.X.Concat(map.Y), value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void What_cannot_be_drawn_is_said()
    {
        var points = Clustered();
        Assert.Equal("a perplexity of 30 needs more than 31 points, but there are 20; lower it or use more images",
            Assert.Throws<UsageException>(() => new Tsne().Embed(points.AsSpan(0, 20 * Width), Width)).Message);
        points[5] = float.NaN;
        Assert.Contains("finite", Assert.Throws<UserException>(() => new Tsne().Embed(points, Width)).Message);
        Assert.Throws<UsageException>(() => new Tsne { Iterations = 0 }.Embed(points, Width));
    }

    [Theory]
    [InlineData(2000, 30)]
    [InlineData(91, 30)]
    [InlineData(30, 29 / 3.0)]
    [InlineData(4, 1)]
    public void Few_points_have_the_perplexity_that_they_allow(int points, double expected) =>
        Assert.Equal(expected, new Tsne { Perplexity = 30 }.ForPoints(points).Perplexity);

    [Fact]
    public void Trustworthiness_is_scikit_learns()
    {
        var (points, x, y) = (new float[20 * 3], new float[20], new float[20]);
        for (var i = 0; i < points.Length; i++) points[i] = i * i * 37 % 101;
        for (var i = 0; i < 20; i++) (x[i], y[i]) = (i * 7 % 11 + 0.013f * i, i * 5 % 13 + 0.007f * i * i);
        Assert.Equal(Expected5, Trustworthiness.Of(points, 3, new(x, y, 0)), 9);
        Assert.Equal(Expected3, Trustworthiness.Of(points, 3, new(x, y, 0), 3), 9);
        Assert.Equal(1, Trustworthiness.Of([.. x.Zip(y).SelectMany(p => new[] { p.First, p.Second })], 2, new(x, y, 0)), 9);
    }

    // sklearn.manifold.trustworthiness (1.2.1) of the numbers above, n_neighbors 5 and 3.
    const double Expected5 = 0.53, Expected3 = 0.5466666666666666;

    static double NearestOfOwnCluster(TsneMap map) =>
        Enumerable.Range(0, map.X.Length).Average(i =>
        {
            var nearest =
                Enumerable.Range(0, map.X.Length).Where(j => j != i)
                    .MinBy(j => Math.Pow(map.X[i] - map.X[j], 2) + Math.Pow(map.Y[i] - map.Y[j], 2));
            return nearest / Each == i / Each ? 1.0 : 0.0;
        });

    static float[] Clustered()
    {
        var random = new Random(7);
        var centers = Enumerable.Range(0, Clusters * Width).Select(_ => 6 * random.NextDouble()).ToArray();
        return [.. Enumerable.Range(0, Clusters * Each * Width)
            .Select(i => (float)(centers[i / Width / Each * Width + i % Width] + Gauss(random)))];
    }

    static float[] Normal(Random random) => [.. Enumerable.Range(0, Clusters * Each).Select(_ => (float)Gauss(random))];

    static double Gauss(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
