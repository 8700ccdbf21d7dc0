namespace DistillSharp.Methods;

/// <summary>
/// Logit standardization. Sun, Ren, Li, Wang, Cao: Logit Standardization in Knowledge Distillation, CVPR 2024, arXiv 2403.01427,
/// algorithm 1: before they are softened, the logits z of each image are shifted and scaled over its K classes,
/// <code>
/// Z(z) = ( z - mean(z) ) / ( sigma(z) + 1e-7 ),   sigma(z)^2 = 1/(K-1) sum_c ( z_c - mean(z) )^2
/// </code>
/// so that the student need not meet the teacher's scale.
/// </summary>
static class LogitStandardization
{
    /// <summary>The temperature and the weight that go with it, as published.</summary>
    public const double Temperature = 2, Weight = 9;

    /// <summary>The setting's description, for the methods that have it.</summary>
    public const string Setting = "whether each image's logits are shifted and scaled to mean 0 and deviation 1 first (Sun 2024)";

    /// <summary>[N, K], float32.</summary>
    public static Tensor Z(Tensor z)
    {
        using var scope = TensorScope.Open();
        var centered = z - z.Mean(1, keep: true);
        var variance = centered.Pow(2).Sum(1, keep: true) / Math.Max(1, z.Size(1) - 1);
        // Of equal logits the deviation is 0 and has no derivative.
        return scope.Keep(centered / (variance.Clamp(min: 1e-24).Sqrt() + 1e-7));
    }
}
