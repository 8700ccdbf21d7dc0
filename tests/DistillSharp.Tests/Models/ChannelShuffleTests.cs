using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Models;

public class ChannelShuffleTests
{
    [Theory]
    [InlineData(MemoryFormat.Contiguous)]
    [InlineData(MemoryFormat.ChannelsLast)]
    public void Channel_i_of_group_g_comes_to_place_i_times_groups_plus_g_and_the_layout_stays(MemoryFormat format)
    {
        using var scope = TensorScope.Open();
        const int groups = 3, channels = 12, height = 2, width = 5;
        var x = Tensor.From(Enumerable.Range(0, 2 * channels * height * width).Select(i => (float)i).ToArray(), 2, channels, height, width);
        var shuffled = ChannelShuffle.Of(x.Contiguous(format), groups);
        for (var g = 0; g < groups; g++)
            for (var i = 0; i < channels / groups; i++)
                Assert.True(x.Select(1, g * (channels / groups) + i).SameAs(shuffled.Select(1, i * groups + g)));
        Assert.Equal(format == MemoryFormat.Contiguous, shuffled.IsContiguous);
        Assert.Equal(format == MemoryFormat.ChannelsLast, shuffled.Permute(0, 2, 3, 1).IsContiguous);
    }
}
