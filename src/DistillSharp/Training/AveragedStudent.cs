using DistillSharp.Models;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Training;

/// <summary>The moving average of a student's weights and of its norms' statistics, measured and kept beside the student itself.</summary>
/// <param name="network">What is measured and kept: the student with what methods add to it.</param>
/// <param name="decay">The weight of the former average after each step.</param>
sealed class AveragedStudent(Classifier network, double decay) : IDisposable
{
    readonly WeightAverage average = new(network.State().Select(entry => entry.Tensor), decay);

    /// <summary>The averages by the names of what they are of.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State() => network.State().Select(entry => entry.Name).Zip(average.Averages);

    /// <summary>Takes a step of the student in.</summary>
    public void Update() => average.Update();

    /// <summary>Puts the averages into the network until the result is disposed.</summary>
    public IDisposable Show() => average.Show();

    public void Dispose() => average.Dispose();
}
