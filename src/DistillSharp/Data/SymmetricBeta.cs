namespace DistillSharp.Data;

/// <summary>
/// Draws from the Beta distribution of two equal parameters. Devroye: Non-Uniform Random Variate Generation, 1986, chapter IX.
/// </summary>
static class SymmetricBeta
{
    /// <summary>A number from 0 to 1, of mean 1/2 and variance 1 / (8 alpha + 4).</summary>
    /// <param name="alpha">Both parameters, above 0.</param>
    /// <param name="random">Numbers of its own; it uses the first few, two of them at a time.</param>
    public static double Draw(double alpha, KeyedRandom random)
    {
        // Ulrich's polar method.
        if (alpha > .5)
        {
            var radius = Math.Sqrt(1 - Math.Pow(Uniform(0), 2 / (2 * alpha - 1)));
            return .5 + .5 * radius * Math.Cos(2 * Math.PI * Uniform(1));
        }
        // Jöhnk's: of two powers of uniform numbers, given that their sum is at most 1. Logarithms, as they may be as small as one likes.
        for (var i = 0; ; i += 2)
        {
            var (x, y) = (Math.Log(Uniform(i)) / alpha, Math.Log(Uniform(i + 1)) / alpha);
            if (Math.Exp(x) + Math.Exp(y) <= 1) return 1 / (1 + Math.Exp(y - x));
        }

        // Above 0.
        double Uniform(int number) => 1 - random.Between(0, 1, number);
    }
}
