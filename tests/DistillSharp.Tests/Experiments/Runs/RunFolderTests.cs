using System.Text.Json;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Tests.Experiments.Runs;

public sealed class RunFolderTests : IDisposable
{
    public const string HoldRole = "hold-run";

    readonly TemporaryFolder root = new();

    public void Dispose() => root.Dispose();

    /// <summary>The child: holds a run's lock until its standard input ends.</summary>
    public static int Hold(string[] arguments)
    {
        using var folder = RunFolder.Open(arguments[0]);
        Console.WriteLine("held");
        Console.In.ReadToEnd();
        return 0;
    }

    [Fact]
    public void A_new_run_holds_recipe_record_and_checkpoint_folder()
    {
        using var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);

        Assert.Equal(root["resnet56-resnet20-fsecd-s1"], run.Path);
        Assert.Equal(Sample.Recipe, File.ReadAllText(Path.Combine(run.Path, "recipe.yaml")));
        Assert.True(Directory.Exists(run.CheckpointsPath));
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(run.Path, "run.json")));
        var top = json.RootElement;
        Assert.Equal("running", top.GetProperty("state").GetString());
        Assert.Equal("resnet56-resnet20-fsecd-s1", top.GetProperty("name").GetString());
        Assert.Equal(278_324, top.GetProperty("parameters").GetInt64());
        Assert.Equal("fsecd", top.GetProperty("methods")[0].GetProperty("name").GetString());
        Assert.Equal("instance", top.GetProperty("methods")[0].GetProperty("policy").GetString());
        Assert.Equal("1.13.1", top.GetProperty("versions").GetProperty("libtorch").GetString());
        Assert.Equal(RunVersions.Current(null).DistillSharp, top.GetProperty("versions").GetProperty("distillsharp").GetString());
        Assert.True(top.GetProperty("machine").GetProperty("cores").GetInt32() >= Environment.ProcessorCount);
        Assert.Equal(Environment.ProcessorCount, top.GetProperty("threads").GetInt32());
        Assert.True(top.GetProperty("machine").GetProperty("memory_bytes").GetInt64() > 1 << 20);
        Assert.Equal(RecipeDigest.Of(Sample.Recipe), top.GetProperty("recipe_digest").GetString());
        Assert.False(top.TryGetProperty("finished", out _));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(root.Path), p => Path.GetFileName(p).StartsWith('.'));
    }

    [Fact]
    public void The_digest_is_gits()
    {
        // printf 'data: { set: cifar100 }\n' | git hash-object --stdin, in a repository of the sha256 object format.
        Assert.Equal("df558926dad6051ffd35843659cd06d12e5af5c0314f012867f98a7470c4b313", RecipeDigest.Of("data: { set: cifar100 }\n"));
        Assert.Equal(RecipeDigest.Of("a: 1\nb: 2\n"), RecipeDigest.Of("a: 1\r\nb: 2\r\n"));
    }

    [Fact]
    public void The_record_comes_back_as_written()
    {
        using (var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe))
            run.SetState(RunState.Failed, "the loss term fsecd became NaN at step 7");

        var stored = RunReader.Load(root["resnet56-resnet20-fsecd-s1"]);
        Assert.Equal(RunState.Failed, stored.State);
        Assert.Equal("the loss term fsecd became NaN at step 7", stored.Manifest.Failure);
        Assert.NotNull(stored.Manifest.Finished);
        Assert.Equal(Sample.Recipe, stored.Recipe);
        Assert.Equal(new MethodUse("fsecd", "instance"), Assert.Single(stored.Manifest.Methods));
        Assert.Equal(MachineDescription.Current, stored.Manifest.Machine);
        Assert.Equal(50_000, stored.Manifest.TrainImages);
    }

    [Fact]
    public void A_taken_name_gets_a_number()
    {
        using var first = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);
        using var second = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);
        using var third = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);

        Assert.Equal("resnet56-resnet20-fsecd-s1-2", second.Name);
        Assert.Equal("resnet56-resnet20-fsecd-s1-3", third.Name);
        Assert.Equal(third.Name, RunReader.Load(third.Path).Manifest.Name);
    }

    [Fact]
    public void An_exact_name_that_is_taken_is_refused_and_leaves_nothing()
    {
        using var first = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);
        var error = Assert.Throws<UsageException>(() => RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe, exactName: true));
        Assert.Contains("resnet56-resnet20-fsecd-s1", error.Message);
        Assert.Single(Directory.GetFileSystemEntries(root.Path));
    }

    [Fact]
    public void Many_at_once_get_different_names()
    {
        var names = new string[40];
        Parallel.For(0, names.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            using var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);
            names[i] = run.Name;
        });
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Equal(names.Length, RunReader.FoldersIn(root.Path).Count);
        Assert.All(names, n => Assert.Equal(n, RunReader.Load(root[n]).Manifest.Name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../elsewhere")]
    [InlineData("a/b")]
    [InlineData("-rf")]
    [InlineData("with space")]
    [InlineData(".hidden")]
    public void A_name_that_is_no_folder_name_is_refused(string name)
    {
        var error = Assert.Throws<UsageException>(() => RunFolder.Create(root.Path, Sample.Manifest(name), Sample.Recipe));
        Assert.Contains($"'{name}'", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(root.Path));
    }

    [Fact]
    public void Suggested_names_read_well()
    {
        Assert.Equal("resnet56-resnet20-fsecd-s1", RunName.Suggest("resnet56", "resnet20", ["fsecd"], 1));
        Assert.Equal("resnet20-ce-s7", RunName.Suggest(null, "resnet20", [], 7));
        Assert.Equal("wrn_40_2-wrn_40_1-kd-crd-s2", RunName.Suggest("wrn_40_2", "wrn_40_1", ["kd", "crd"], 2));
        RunName.Check(RunName.Suggest("my teacher/../x", new string('s', 300), ["é"], long.MinValue));
    }

    [Fact]
    public void A_second_process_is_refused_with_the_pid_of_the_first()
    {
        string path;
        using (var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe)) path = run.Path;

        using var child = ChildProgram.Start(HoldRole, path);
        Assert.Equal("held", child.StandardOutput.ReadLine());
        var error = Assert.Throws<UserException>(() => RunFolder.Open(path));
        Assert.Contains(path, error.Message);
        Assert.Contains($"process {child.Id};", error.Message);

        var looked = RunReader.Load(path);
        Assert.Equal(child.Id, looked.Process);
        Assert.Equal(RunState.Running, looked.State);

        child.StandardInput.Close();
        Assert.True(child.WaitForExit(20_000));
        RunFolder.Open(path).Dispose();
    }

    [Fact]
    public void The_lock_of_a_killed_process_is_taken_over_and_its_run_counts_as_interrupted()
    {
        string path;
        using (var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe)) path = run.Path;

        using var child = ChildProgram.Start(HoldRole, path);
        Assert.Equal("held", child.StandardOutput.ReadLine());
        child.Kill();
        Assert.True(child.WaitForExit(20_000));

        Assert.Equal(RunState.Interrupted, RunReader.Load(path).State);
        using var taken = RunFolder.Open(path);
        Assert.Equal(Environment.ProcessId, RunReader.Load(path).Process);
    }

    [Fact]
    public void A_second_object_in_the_same_process_is_refused_too()
    {
        using var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);
        var error = Assert.Throws<UserException>(() => RunFolder.Open(run.Path));
        Assert.Contains($"process {Environment.ProcessId};", error.Message);
    }

    [Fact]
    public void A_folder_that_is_no_run_gives_one_sentence()
    {
        Assert.Contains("holds no run.json", Assert.Throws<UserException>(() => RunFolder.Open(root.Path)).Message);
        Assert.Contains("there is no run folder", Assert.Throws<UserException>(() => RunReader.Load(root["absent"])).Message);
        Assert.Empty(Directory.GetFileSystemEntries(root.Path));
    }

    [Theory]
    [InlineData("", "line 1")]
    [InlineData("{", "line 1")]
    [InlineData("null", "null")]
    [InlineData("[1, 2]", "line 1")]
    [InlineData("{\n\"name\": \"x\",\n\"state\": \"sleeping\"}", "line 3")]
    [InlineData("{\"name\": \"x\", \"state\": \"finished\"}", "dataset")]
    public void A_damaged_record_names_file_and_fault(string json, string says)
    {
        Directory.CreateDirectory(root["r"]);
        File.WriteAllText(root["r/run.json"], json);
        File.WriteAllText(root["r/recipe.yaml"], "");
        var error = Assert.Throws<UserException>(() => RunReader.Load(root["r"]));
        Assert.Contains(root["r/run.json"], error.Message);
        Assert.Contains(says, error.Message);
    }

    [Fact]
    public void A_root_that_cannot_be_written_gives_one_sentence()
    {
        File.WriteAllText(root["file"], "");
        var error = Assert.Throws<UserException>(() => RunFolder.Create(root["file/runs"], Sample.Manifest(), Sample.Recipe));
        Assert.StartsWith("cannot create a run in", error.Message);
    }

    [Fact]
    public void What_a_killed_creation_left_is_swept_up()
    {
        var old = Directory.CreateDirectory(root[".creating-0123"]);
        old.LastWriteTimeUtc = DateTime.UtcNow.AddMinutes(-5);
        var young = Directory.CreateDirectory(root[".creating-4567"]);
        using var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);
        Assert.False(Directory.Exists(old.FullName));
        Assert.True(Directory.Exists(young.FullName));
        Assert.Equal([run.Path], RunReader.FoldersIn(root.Path));
    }
}
