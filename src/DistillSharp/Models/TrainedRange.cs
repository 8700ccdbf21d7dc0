namespace DistillSharp.Models;

/// <summary>Between which values an activation lay while its network was trained as it computes in whole numbers.</summary>
/// <param name="Call">
/// The operator call that gives it, counted from 0 as <see cref="Torch.OperatorTrace"/> records the network in evaluation; -1 for the
/// images.
/// </param>
/// <param name="Low">The least value, at most 0.</param>
/// <param name="High">The largest value, at least 0.</param>
public sealed record TrainedRange(int Call, float Low, float High);
