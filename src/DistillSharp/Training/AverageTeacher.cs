using DistillSharp.Models;

namespace DistillSharp.Training;

/// <summary>
/// A teacher that is the moving average of its student: self-distillation. Tarvainen, Valpola: Mean teachers are better role models,
/// NeurIPS 2017, arXiv 1703.01780.
/// </summary>
sealed class AverageTeacher : Teacher
{
    /// <summary>Takes a network of the student's form, whose weights are replaced.</summary>
    public AverageTeacher(Classifier network, Features features, Size2 image, Device device) : base(network, features, image, device) =>
        network.Train(false);

    /// <summary>Takes over the averages as they are now.</summary>
    /// <exception cref="UsageException">They are not those of a network of this form.</exception>
    public void Follow(AveragedStudent student)
    {
        using var off = Autograd.NoGrad();
        var averages = student.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        var own = Network.State().ToList();
        if (own.Count != averages.Count
            || own.Any(entry => !averages.TryGetValue(entry.Name, out var average) || !average.Shape.SequenceEqual(entry.Tensor.Shape)))
            throw new UsageException("the moving average of the student cannot be its teacher: the methods "
                + "deploy another network than the student itself");
        foreach (var (name, tensor) in own) tensor.CopyFrom(averages[name]);
    }

    public override void Dispose() { }
}
