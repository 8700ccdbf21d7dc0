using System.Diagnostics;

namespace DistillSharp.Cli.Tests;

/// <summary>
/// eng/build-native.sh where LIBTORCH or Torch_DIR point to no libtorch: one sentence. It runs in a copy, so that nothing is built anew.
/// </summary>
public sealed class NativeBuildScriptTests : IDisposable
{
    readonly string copy = Directory.CreateTempSubdirectory("distill-native-").FullName;

    public void Dispose() => Directory.Delete(copy, recursive: true);

    [Fact]
    public void A_place_without_a_libtorch_is_named_as_the_user_meant_it()
    {
        Assert.Equal(
            $"eng/build-native.sh: no libtorch where LIBTORCH={copy}/user/mine points: no include/torch/csrc/api/include/torch/version.h "
            + $"in {copy}/user/mine; point it at the folder of a libtorch, or unset it to search the system", Build("LIBTORCH", "mine"));
        Assert.Equal(
            $"eng/build-native.sh: no libtorch where Torch_DIR={copy}/user/cmake points: no include/torch/csrc/api/include/torch/version.h "
            + $"in {copy}/user/cmake; point it at the folder of a libtorch, or unset it to search the system", Build("Torch_DIR", "cmake"));
    }

    [Fact]
    public void A_libtorch_without_headers_is_told_from_none()
    {
        Directory.CreateDirectory($"{copy}/user/runtime/lib");
        File.WriteAllText($"{copy}/user/runtime/lib/libtorch_cpu.so", "");
        Assert.Contains($"{copy}/user/runtime has libtorch's libraries but not its headers", Build("LIBTORCH", $"{copy}/user/runtime"));
    }

    // The script's last line.
    string Build(string variable, string value)
    {
        var root = SourceTree();
        foreach (
            var file in Directory.EnumerateFiles($"{root}/native", "*", SearchOption.AllDirectories).Append($"{root}/eng/build-native.sh"))
        {
            var to = Path.Combine(copy, Path.GetRelativePath(root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to, overwrite: true);
        }
        Directory.CreateDirectory($"{copy}/user");
        var start =
            new ProcessStartInfo(
                "bash", [$"{copy}/eng/build-native.sh"])
            { WorkingDirectory = $"{copy}/user", RedirectStandardError = true };
        start.Environment.Remove("LIBTORCH");
        start.Environment.Remove("Torch_DIR");
        start.Environment[variable] = value;
        using var process = Process.Start(start)!;
        var lines = process.StandardError.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        return lines[^1];
    }

    static string SourceTree()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists($"{folder.FullName}/DistillSharp.slnx")) folder = folder.Parent!;
        return folder.FullName;
    }
}
