using System.Diagnostics;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Tests.Experiments.Sweeps;

public sealed class ClusterJobTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    ClusterJob Write(Cluster cluster, params string[] names)
    {
        var specs = names.Select((name, i) => new RunSpec(name, Recipe.Parse(Text(i), name)));
        return ClusterJob.Write(
            cluster, SweepPlan.Of([.. specs], folder["my runs"]), "table3", ["distill"], "images/distill:1", "it's mine");
    }

    static string Text(int seed) => $$"""
        data: { set: cifar100, root: data }
        student: { network: resnet8 }
        train: { seed: {{seed + 1}} }
        """;

    [Fact]
    public void Each_element_of_an_array_trains_the_run_of_its_line()
    {
        var job = Write(Cluster.Slurm, "first", "second");
        Assert.Equal(2, job.Runs);
        Assert.Equal(["sbatch", job.File], job.Submission);
        var script = File.ReadAllText(job.File);
        Assert.Contains("#SBATCH --array=0-1\n", script);
        Assert.Contains("#SBATCH --requeue\n", script);
        // What Slurm would start, with a distill that shows its arguments.
        var said = Bash($"distill() {{ printf '[%s]' \"$@\"; }}; SLURM_ARRAY_TASK_ID=1; {script.Replace("exec distill", "distill")}");
        var root = folder["my runs"];
        Assert.Equal($"[train][{root}/.sweeps/second.yaml][--name][second][--resume][--runs][{root}]", said);
        Assert.Equal(Recipe.Parse(Text(1), "second").Digest, Recipe.Load($"{root}/.sweeps/second.yaml").Digest);
    }

    [Fact]
    public void Finished_runs_are_left_out_and_where_all_are_there_is_nothing_to_submit()
    {
        var recipe = Recipe.Parse(Text(0), "first");
        using (var run = RunFolder.Create(folder["my runs"], RunManifest.Of(recipe, "first"), recipe.Resolve(), exactName: true))
            run.SetState(RunState.Finished);
        var job = Write(Cluster.Slurm, "first", "second");
        Assert.Equal(1, job.Runs);
        Assert.Equal("second\n", File.ReadAllText(Path.ChangeExtension(job.File, ".list")));
        Assert.Equal(
            "every run of this sweep is finished, so there is nothing to submit",
            Assert.Throws<UserException>(() => Write(Cluster.Slurm, "first")).Message);
    }

    [Fact]
    public void A_job_of_Kubernetes_has_an_index_for_each_run()
    {
        var job = Write(Cluster.Kubernetes, "first", "second", "third");
        var text = File.ReadAllText(job.File);
        Assert.Contains("\n  completionMode: Indexed\n  completions: 3\n", text);
        Assert.Contains("image: 'images/distill:1'", text);
        Assert.Contains("claimName: 'it''s mine'", text);
        Assert.Contains("$((JOB_COMPLETION_INDEX + 1))p", text);
        Assert.Equal(["kubectl", "apply", "--filename", job.File], job.Submission);
    }

    [Fact]
    public void A_cluster_that_is_not_here_is_a_sentence_with_the_command_to_give_there()
    {
        var job = new ClusterJob(Cluster.Kubernetes, "table3.job.yaml", 1);
        var path = Environment.GetEnvironmentVariable("PATH");
        if (path!.Split(':').Any(place => File.Exists(Path.Combine(place, "kubectl")))) return;
        Assert.EndsWith(
            "on a machine of the cluster, submit with: kubectl apply --filename table3.job.yaml",
            Assert.Throws<UserException>(job.Submit).Message);
    }

    static string Bash(string script)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true })!;
        return process.StandardOutput.ReadToEnd();
    }
}
