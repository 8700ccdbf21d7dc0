using DistillSharp.Evaluation;

namespace DistillSharp.Onnx.Quantization;

/// <summary>What a layer costs in int8.</summary>
/// <param name="Layer">The layer, by the name of its weights.</param>
/// <param name="Points">Points of top-1 accuracy that come back when it alone stays in float32, on a sample of test images.</param>
public sealed record LayerCost(string Layer, double Points);

/// <summary>A network that became int8.</summary>
/// <param name="File">The file.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="FloatBytes">The length of the same graph in float32.</param>
/// <param name="Float">Accuracy of the graph in float32 on the test images.</param>
/// <param name="Int8">Accuracy in int8 on the same images.</param>
/// <param name="Calibration">How ranges were found: <c>min-max</c>, <c>percentile 99.99</c>, <c>trained</c>.</param>
/// <param name="Images">On how many training images.</param>
/// <param name="Layers">How many layers compute in int8.</param>
/// <param name="KeptFloat">Layers that stayed in float32.</param>
/// <param name="Costs">Where accuracy fell by more than was allowed: what each layer costs, the dearest first; empty otherwise.</param>
public sealed record Int8Report(string File, long Bytes, long FloatBytes, Accuracy Float,
    Accuracy Int8, string Calibration, int Images, int Layers, IReadOnlyList<string> KeptFloat, IReadOnlyList<LayerCost> Costs);
