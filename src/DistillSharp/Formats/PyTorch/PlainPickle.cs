using DistillSharp.Formats.Files;
using DistillSharp.Formats.Pickle;

namespace DistillSharp.Formats.PyTorch;

/// <summary>A pickle without PyTorch's archive around it: numpy's arrays in a dict, as conversion scripts leave them.</summary>
internal static class PlainPickle
{
    public static CheckpointContent Read(Stream stream, string file)
    {
        var budget = new AllocationBudget(file, stream.Length);
        var reader = new PickleReader(
            new PickleInput(stream, stream.Length, file, budget), TorchGlobals.List, budget, TorchGlobals.Storage);
        return CheckpointContent.Of(reader.Read(), storages: null, budget, file);
    }
}
