using System.ComponentModel;
using System.Diagnostics;

namespace DistillSharp.Experiments.Sweeps;

/// <summary>What runs jobs on several machines.</summary>
public enum Cluster
{
    /// <summary>A job array of Slurm, submitted by sbatch.</summary>
    Slurm,
    /// <summary>An indexed Job of Kubernetes, submitted by kubectl.</summary>
    Kubernetes,
}

/// <summary>
/// A sweep as one job of a cluster, with an element for each run that is not finished: an ordinary <c>distill train</c>, which resumes
/// where it was cut off. All machines see the folder of all runs under the same path. The job's file, the recipes and, where the
/// cluster keeps none, the logs lie in <c>.sweeps</c> below it.
/// </summary>
/// <param name="Cluster">What runs it.</param>
/// <param name="File">The job's file.</param>
/// <param name="Runs">How many elements there are.</param>
public sealed record ClusterJob(Cluster Cluster, string File, int Runs)
{
    /// <summary>The command that submits the job.</summary>
    public IReadOnlyList<string> Submission => Cluster == Cluster.Slurm ? ["sbatch", File] : ["kubectl", "apply", "--filename", File];

    /// <summary>Writes a job and the recipes of its runs.</summary>
    /// <param name="cluster">What is to run it.</param>
    /// <param name="plan">The sweep; what is finished is left out.</param>
    /// <param name="name">The job's name.</param>
    /// <param name="command">The command that stands for <c>distill</c> on the machines, with its first arguments.</param>
    /// <param name="image">The container image, for Kubernetes.</param>
    /// <param name="claim">The PersistentVolumeClaim that holds the present folder, for Kubernetes.</param>
    /// <exception cref="UserException">There is nothing to run, or a file cannot be written.</exception>
    public static ClusterJob Write(Cluster cluster, SweepPlan plan, string name, IReadOnlyList<string> command, string image, string claim)
    {
        SweepEntry[] left = [.. plan.Entries.Where(entry => entry.State != SweepState.Finished)];
        if (left.Length == 0) throw new UserException("every run of this sweep is finished, so there is nothing to submit");
        // The elements of a job begin in any order.
        foreach (var entry in left)
            if (plan.Before(entry).FirstOrDefault(other => other.State != SweepState.Finished) is { } first)
                throw new UserException($"{entry.Run} begins with what {first.Run} trains, and a cluster's job trains both at once; submit "
                    + $"a sweep with {first.Run} alone first, or sweep on one machine");
        var root = Path.GetFullPath(plan.RunsRoot);
        var folder = Path.Combine(root, TrainingProcess.FolderName);
        FileTrouble.Told($"cannot create {folder}", () => Directory.CreateDirectory(folder));
        foreach (var entry in left)
            AtomicFile.Write(Path.Combine(folder, entry.Run + ".yaml"), Encoding.UTF8.GetBytes(entry.Spec.RecipeText));
        // The list and the job bear the names of their runs: a job that waits in the queue is not changed by the next.
        var list = string.Concat(left.Select(entry => entry.Run + "\n"));
        var listed = Path.Combine(folder,
            $"{name}-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(list)))[..8]}.list");
        AtomicFile.Write(listed, Encoding.UTF8.GetBytes(list));
        var file = Path.ChangeExtension(listed, cluster == Cluster.Slurm ? ".sbatch" : ".job.yaml");
        var train = $"exec {string.Join(' ', command.Select(Quoted))} train {Quoted(folder)}/\"$run\".yaml --name \"$run\" --resume --runs "
            + $"{Quoted(root)}";
        AtomicFile.Write(file, Encoding.UTF8.GetBytes(cluster == Cluster.Slurm
            ? Slurm(name, folder, listed, train, left.Length)
            : Kubernetes(Path.GetFileNameWithoutExtension(listed), listed, train, left.Length, image, claim)));
        return new(cluster, file, left.Length);
    }

    /// <summary>Submits the job.</summary>
    /// <returns>What the cluster said.</returns>
    /// <exception cref="UserException">There is no such command, or it refused.</exception>
    public string Submit()
    {
        var command = Submission;
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            var said = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? said
                : throw new UserException($"{command[0]} refused {File}: {ShownText.Of(error.Result.Trim().ReplaceLineEndings(" "))}");
        }
        catch (Win32Exception error)
        {
            throw new UserException(
                $"cannot start {command[0]} ({error.Message}); on a machine of the cluster, submit with: {string.Join(' ', command)}",
                error);
        }
    }

    // What else a cluster needs (partition, account, GPUs) sbatch takes from its SBATCH_ variables.
    static string Slurm(string name, string folder, string list, string train, int runs) => $"""
        #!/bin/bash
        #SBATCH --job-name={name}
        #SBATCH --array=0-{runs - 1}
        #SBATCH --nodes=1
        #SBATCH --ntasks=1
        #SBATCH --requeue
        #SBATCH --open-mode=append
        #SBATCH --chdir={Environment.CurrentDirectory}
        #SBATCH --output={folder}/{name}-%a.log
        export OMP_NUM_THREADS=$SLURM_CPUS_ON_NODE
        run=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {Quoted(list)})
        {train}

        """;

    static string Kubernetes(string name, string list, string train, int runs, string image, string claim)
    {
        var label = string.Concat(name.ToLowerInvariant().Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '-')).Trim('-');
        return $$"""
            apiVersion: batch/v1
            kind: Job
            metadata: { name: {{label}} }
            spec:
              completionMode: Indexed
              completions: {{runs}}
              parallelism: {{runs}}
              backoffLimitPerIndex: 3
              maxFailedIndexes: {{runs}}
              template:
                spec:
                  restartPolicy: Never
                  containers:
                    - name: distill
                      image: {{Yaml(image)}}
                      workingDir: {{Yaml(Environment.CurrentDirectory)}}
                      command:
                        - /bin/bash
                        - -c
                        - |
                          run=$(sed -n "$((JOB_COMPLETION_INDEX + 1))p" {{Quoted(list)}})
                          {{train}}
                      volumeMounts: [ { name: work, mountPath: {{Yaml(Environment.CurrentDirectory)}} } ]
                  volumes: [ { name: work, persistentVolumeClaim: { claimName: {{Yaml(claim)}} } } ]

            """;
    }

    static string Yaml(string text) => $"'{text.Replace("'", "''")}'";

    // A word for the shell.
    static string Quoted(string word) =>
        word.Length > 0 && word.All(letter => char.IsAsciiLetterOrDigit(letter) || "/._-+=:".Contains(letter)) ? word
            : $"'{word.Replace("'", "'\\''")}'";
}
