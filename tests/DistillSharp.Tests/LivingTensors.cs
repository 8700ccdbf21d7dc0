using DistillSharp.Torch;

namespace DistillSharp.Tests;

/// <summary>What <see cref="LiveTensors"/> counts, without what another test left to the garbage collector.</summary>
static class LivingTensors
{
    public static long Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return LiveTensors.Count;
    }
}
