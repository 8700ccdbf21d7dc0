using DistillSharp.Data;
using DistillSharp.Methods;

namespace DistillSharp.Training;

/// <summary>
/// What networks and methods take of a batch, on the device that computes: the batch's own tensors where that is the processor.
/// </summary>
readonly record struct DeviceBatch(
    Tensor Images, Tensor? TeacherImages, Tensor? SecondImages, Tensor? TeacherSecondImages, Tensor Labels, Tensor Indices, LabelMix? Mix)
{
    public static DeviceBatch Of(Batch batch, Device device) => new(
        batch.Images.To(device), batch.TeacherImages?.To(device), batch.SecondImages?.To(device), batch.TeacherSecondImages?.To(device),
        batch.Labels.To(device), batch.Indices.To(device),
        batch.Mix is { } mix ? new(mix.Others.To(device), mix.Shares.To(device)) : null);

    /// <summary>All tensors, in one order for all batches of a loader.</summary>
    public IEnumerable<Tensor> All =>
        new[] { Images, TeacherImages, SecondImages, TeacherSecondImages, Labels, Indices, Mix?.Others, Mix?.Shares }.OfType<Tensor>();
}
