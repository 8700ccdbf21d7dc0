using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>Checkpoints that cannot be written are a warning: training goes on, and tries again.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class FullDiskTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Training_goes_on_and_tries_again_where_the_folder_cannot_be_made()
    {
        var checkpoints = new CheckpointStore(folder["checkpoints"]);
        File.WriteAllText(folder["checkpoints"], "in the way");
        using var run = new TinyTraining(Precision.Fp32);
        run.At = step =>
        {
            if (step == 4) File.Delete(folder["checkpoints"]);
        };

        Assert.True(run.Run(checkpoints).Completed);

        var warning = Assert.Single(run.Warnings);
        Assert.Contains(folder["checkpoints"], warning);
        Assert.EndsWith("; training goes on without this checkpoint", warning);
        AssertEndsUndisturbed(checkpoints);
    }

    [SmallDiskFact]
    public void Training_goes_on_and_tries_again_where_the_disk_is_full()
    {
        var disk = folder["disk"];
        Directory.CreateDirectory(disk);
        Assert.True(SmallDisk.Mount(disk, "4m"));
        try
        {
            var checkpoints = new CheckpointStore(Path.Combine(disk, "checkpoints"));
            var ballast = Path.Combine(disk, "ballast");
            using var run = new TinyTraining(Precision.Fp32);
            string[] before = [];
            run.At = step =>
            {
                if (step == 4)
                {
                    before = [.. checkpoints.Files];
                    SmallDisk.Fill(ballast);
                }
                if (step == 7)
                {
                    // The second epoch's could not be written: the first one's is whole, and nothing half-written lies beside it.
                    Assert.Equal(before, checkpoints.Files);
                    Assert.Equal(3, checkpoints.Latest(Assert.Fail)!.Value.Checkpoint.Progress.Step);
                    Assert.Empty(Directory.GetFiles(checkpoints.Folder, "*.tmp"));
                    File.Delete(ballast);
                }
            };

            Assert.True(run.Run(checkpoints).Completed);

            Assert.Contains("the disk is full; training goes on without this checkpoint", Assert.Single(run.Warnings));
            AssertEndsUndisturbed(checkpoints);
        }
        finally
        {
            SmallDisk.Unmount(disk);
        }
    }

    void AssertEndsUndisturbed(CheckpointStore checkpoints)
    {
        var others = new CheckpointStore(folder["undisturbed"]);
        using var undisturbed = new TinyTraining(Precision.Fp32);
        undisturbed.Run(others);
        Assert.Equal(TinyTraining.Latest(others), TinyTraining.Latest(checkpoints));
        Assert.Equal(TinyTraining.Content(Checkpoint.Read(others.BestPath)), TinyTraining.Content(Checkpoint.Read(checkpoints.BestPath)));
    }
}
