using System.Globalization;
using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Tests.Experiments.Sweeps;

/// <summary>
/// A run that keeps its folder as training does, with a number for a checkpoint and naps for epochs. True when it finished.
/// </summary>
static class FakeTraining
{
    public static bool Run(
        string root, string name, string recipeText, bool resume, int napMilliseconds, CancellationToken stop = default,
        int failAfter = int.MaxValue,
        Action<int>? beforeEpoch = null)
    {
        var recipe = Recipe.Parse(recipeText);
        using var folder = resume ? RunFolder.Open(Path.Combine(root, name))
            : RunFolder.Create(root, RunManifest.Of(recipe, name), recipeText, exactName: true);
        using var recorder = new RunWriter(folder, _ => { });
        var checkpoint = Path.Combine(folder.CheckpointsPath, "epoch");
        var done = File.Exists(checkpoint) ? int.Parse(File.ReadAllText(checkpoint), CultureInfo.InvariantCulture) : 0;
        recorder.ContinueAfter(done);
        for (var epoch = done + 1; epoch <= recipe.Train.Epochs; epoch++)
        {
            Thread.Sleep(napMilliseconds);
            beforeEpoch?.Invoke(epoch);
            if (stop.IsCancellationRequested)
            {
                recorder.End(RunState.Interrupted);
                return false;
            }
            if (epoch > failAfter)
            {
                recorder.End(RunState.Failed, "the loss term fsecd became NaN");
                throw new UserException("the loss term fsecd became NaN");
            }
            recorder.EpochEnded(Sample.Epoch(epoch));
            File.WriteAllText(checkpoint + ".tmp", epoch.ToString(CultureInfo.InvariantCulture));
            File.Move(checkpoint + ".tmp", checkpoint, overwrite: true);
        }
        recorder.End(RunState.Finished);
        return true;
    }

    public static Task<RunExit> Start(
        string root, RunStart start, CancellationToken stop, int failAfter = int.MaxValue, Action<int>? beforeEpoch = null)
    {
        try
        {
            Run(root, start.Run, start.Spec.RecipeText, start.Resume, napMilliseconds: 1, stop, failAfter, beforeEpoch);
            return Task.FromResult(new RunExit(0));
        }
        catch (UserException e)
        {
            return Task.FromResult(new RunExit(1, e.Message));
        }
    }
}
