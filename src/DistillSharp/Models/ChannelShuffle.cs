namespace DistillSharp.Models;

static class ChannelShuffle
{
    /// <summary>
    /// Deals the channels of each group out to all groups: channel i of group g comes to place i * groups + g. [N, C, H, W] to
    /// the same; the order in memory stays.
    /// </summary>
    public static Tensor Of(Tensor x, long groups)
    {
        if (groups == 1) return x;
        using var scope = TensorScope.Open();
        var (channels, height, width) = (x.Size(1), x.Size(2), x.Size(3));
        // A reshape that must copy writes row-major. So what lies channels-last is shuffled as [N, H, W, C].
        return scope.Keep(x.IsContiguous
            ? x.Reshape(-1, groups, channels / groups, height, width).Transpose(1, 2).Reshape(-1, channels, height, width)
            : x.Permute(0, 2, 3, 1).Reshape(-1, height, width, groups, channels / groups).Transpose(3, 4)
                .Reshape(-1, height, width, channels).Permute(0, 3, 1, 2));
    }
}
