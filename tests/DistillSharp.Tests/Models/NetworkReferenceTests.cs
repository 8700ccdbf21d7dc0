using System.Text.Json;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Models;

/// <summary>Names and shapes against the reference cases; <c>distill verify</c> compares the numbers.</summary>
public class NetworkReferenceTests
{
    public static TheoryData<string> References
    {
        get
        {
            var names = new TheoryData<string>();
            if (SharedFiles.Root is not null)
                foreach (
                    var file in Directory.GetFiles(SharedFiles.Path("reference/models"), "*.safetensors").Order(StringComparer.Ordinal))
                    names.Add(Path.GetFileNameWithoutExtension(file));
            return names;
        }
    }

    [SharedTheory]
    [MemberData(nameof(References))]
    public void Parameters_state_and_stage_shapes_are_the_references(string reference)
    {
        var metadata = SafeTensorsFile.Read(SharedFiles.Path($"reference/models/{reference}.safetensors")).Metadata;
        using var unset = Initialize.Skip();
        using var network = Networks.Create(metadata["arch"], int.Parse(metadata["classes"]));

        Assert.Equal(long.Parse(metadata["parameters"]), network.ParameterCount);
        // In order as well: a state that is written here reads like PyTorch's.
        var state = JsonSerializer.Deserialize<Dictionary<string, long[]>>(metadata["state"])!;
        Assert.Equal(
            state.Select(entry => $"{entry.Key} [{string.Join(", ", entry.Value)}]"),
            network.State().Select(entry => $"{entry.Name} [{string.Join(", ", entry.Tensor.Shape)}]"));

        var image = JsonSerializer.Deserialize<long[]>(metadata["input_shape"])![2..];
        var shapes = network.Describe(new Size2(image[0], image[1]));
        Assert.Equal(Shapes(metadata["feats.shapes"]), shapes.Stages);
        Assert.Equal(Shapes(metadata["preact_feats.shapes"]), shapes.PreActivations);
    }

    static IEnumerable<FeatureShape> Shapes(string json) =>
        JsonSerializer.Deserialize<long[][]>(json)!.Select(shape => new FeatureShape(shape[1], shape[2], shape[3]));
}
