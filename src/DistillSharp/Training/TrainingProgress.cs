using System.Text.Json.Serialization;
using DistillSharp.Evaluation;
using DistillSharp.Models;

namespace DistillSharp.Training;

/// <summary>Where a run stands, as a checkpoint keeps it: what follows is a function of this and of the tensors.</summary>
public sealed record TrainingProgress
{
    /// <summary>The epoch under way, or the one to begin, from 1.</summary>
    public int Epoch { get; set; } = 1;

    /// <summary>Batches of that epoch that were trained on; all of them before the student is measured.</summary>
    public int Batch { get; set; }

    /// <summary>Optimizer steps since the start.</summary>
    public long Step { get; set; }

    /// <summary>Sums of each weighted term over the epoch so far, by image.</summary>
    public Dictionary<string, double> TermSums { get; set; } = [];

    /// <summary>Images of the epoch so far.</summary>
    public long Images { get; set; }

    /// <summary>Seconds of training in the epoch so far.</summary>
    public double Seconds { get; set; }

    /// <summary>The best top-1 accuracy so far, in percent; null before the first measurement.</summary>
    public double? BestAcc1 { get; set; }

    /// <summary>The epoch of the best accuracy.</summary>
    public int? BestEpoch { get; set; }

    /// <summary>The last measurement; null before the first.</summary>
    public Accuracy? Accuracy { get; set; }

    /// <summary>The last measurement of the moving average of the weights; null where none is kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Accuracy? AverageAccuracy { get; set; }

    /// <summary>The student's ranges, where it is trained as it computes in whole numbers; null elsewhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<TrainedRange>? Ranges { get; set; }

    /// <summary>How many processes trained together.</summary>
    public int Processes { get; set; } = 1;

    /// <summary>Training images per second over the epoch so far.</summary>
    [JsonIgnore]
    public double ImagesPerSecond => Seconds > 0 ? Images / Seconds : 0;

    internal void Count(int images, double seconds, IEnumerable<(string Name, double Value)> terms)
    {
        Batch++;
        Step++;
        Images += images;
        Seconds += seconds;
        foreach (var (name, value) in terms) TermSums[name] = TermSums.GetValueOrDefault(name) + value * images;
    }

    internal void NextEpoch()
    {
        Epoch++;
        (Batch, Images, Seconds) = (0, 0, 0);
        TermSums = [];
    }
}
