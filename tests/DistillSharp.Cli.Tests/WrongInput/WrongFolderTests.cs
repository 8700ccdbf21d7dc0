using System.Runtime.Versioning;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Models;
using DistillSharp.Tests.Training;

namespace DistillSharp.Cli.Tests.WrongInput;

[UnsupportedOSPlatform("windows")]
public class WrongFolderTests : WrongInputTests
{
    string Weights()
    {
        using var network = Networks.Create("resnet8", 10, seed: 1);
        SafeTensorsFile.Write(Folder["weights"], network.StoredState());
        return Folder["weights"];
    }

    string[] Export(string target) => ["export", "--model", "resnet8", "--weights", Folder["weights"], "--onnx", target];

    [UnprivilegedFact]
    public void What_may_not_be_read()
    {
        var weights = Weights();
        Write(teacher: $"teacher: {{ network: resnet8, weights: '{weights}' }}\nmethods: [ {{ name: kd }} ]");
        foreach (var (path, said) in new[]
        {
            (Recipe, $"cannot read the recipe '{Recipe}': permission denied"),
            (weights, $"cannot read {weights}: permission denied"),
            (Folder["data/train-images-idx3-ubyte"], $"cannot read '{Folder["data/train-images-idx3-ubyte"]}': permission denied"),
        })
        {
            File.SetUnixFileMode(path, UnixFileMode.None);
            Unprivileged.Run(Folder.Path, () => TrainRefused(1, said));
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        }
    }

    [UnprivilegedFact]
    public void A_folder_without_permission()
    {
        Weights();
        Directory.CreateDirectory(Runs);
        File.SetUnixFileMode(Runs, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Unprivileged.Run(Folder.Path, () =>
        {
            TrainRefused(1, $"cannot create a run in {Runs}: permission denied");
            Refused(1, [$"cannot write {Path.Combine(Runs, "x.onnx")}: permission denied"], Export(Path.Combine(Runs, "x.onnx")));
        });
    }

    [SmallDiskFact]
    public void A_read_only_disk()
    {
        Weights();
        var disk = Directory.CreateDirectory(Folder["disk"]).FullName;
        Assert.True(SmallDisk.Mount(disk, "4m"));
        try
        {
            File.WriteAllText(Path.Combine(disk, "old.onnx"), "old");
            Assert.True(SmallDisk.MakeReadOnly(disk));
            Refused(1, [$"cannot create a run in {disk}: Read-only file system"], "train", Recipe, "--runs", disk, "--name", "wrong");
            Refused(1, [$"cannot write {disk}/old.onnx: Read-only file system"], Export($"{disk}/old.onnx"));
            Assert.Equal("old", File.ReadAllText(Path.Combine(disk, "old.onnx")));
        }
        finally
        {
            SmallDisk.Unmount(disk);
        }
    }

    [SmallDiskFact]
    public void A_full_disk()
    {
        Weights();
        var disk = Directory.CreateDirectory(Folder["disk"]).FullName;
        Assert.True(SmallDisk.Mount(disk, "1m"));
        try
        {
            File.WriteAllText(Path.Combine(disk, "old.onnx"), "old");
            SmallDisk.Fill(Path.Combine(disk, "ballast"));
            Refused(1, [$"cannot create a run in {disk}: the disk is full"], "train", Recipe, "--runs", disk, "--name", "wrong");
            Refused(1, [$"cannot write {disk}/old.onnx: the disk is full"], Export($"{disk}/old.onnx"));
            Assert.Equal("old", File.ReadAllText(Path.Combine(disk, "old.onnx")));
        }
        finally
        {
            SmallDisk.Unmount(disk);
        }
    }

    [Theory]
    [InlineData("../up")]
    [InlineData("a/b")]
    [InlineData("..")]
    public void A_name_that_leads_elsewhere(string name) =>
        Refused(2, [$"'{name}'"], "train", Recipe, "--runs", Runs, "--name", name);
}
