using System.Diagnostics;
using System.Runtime.Versioning;

namespace DistillSharp.Cli.Tests;

/// <summary>eng/setup.sh on machines that lack something; nothing is installed here.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SetupScriptTests : IDisposable
{
    readonly string programs = Directory.CreateTempSubdirectory("distill-setup-").FullName;

    public void Dispose() => Directory.Delete(programs, recursive: true);

    [Fact]
    public void Without_apt_get_it_lists_what_is_needed_and_stops()
    {
        Provide("grep", "sed", "paste", "dotnet");
        var (code, error) = Run();
        Assert.Equal(1, code);
        foreach (var package in new[] { "g++", "cmake", "libtorch-dev", "libopenblas0-openmp", "dataset-fashion-mnist", "dotnet-sdk-10.0" })
            Assert.Contains($"\n  {package} ", error);
        Assert.DoesNotContain("python3-torch", error);
        Assert.Contains("there is no apt-get here", error);

        Assert.Contains("\n  python3-torch ", Run("--tests").Error);
    }

    [Fact]
    public void A_libtorch_of_the_users_own_replaces_Debians()
    {
        Provide("grep", "sed", "paste", "dotnet");
        var error = Run(libtorch: "/opt/libtorch").Error;
        Assert.DoesNotContain("libtorch-dev", error);
        Assert.DoesNotContain("libopenblas0-openmp", error);
        Assert.Contains("\n  cmake ", error);
    }

    [Fact]
    public void Without_the_dotnet_sdk_it_says_where_to_get_it()
    {
        Provide("grep", "sed", "paste");
        Stand("apt-get", "exit 1");
        Stand("dpkg-query", "exit 1");
        Stand("dotnet", "echo '8.0.404 [/usr/share/dotnet/sdk]'");
        var (code, error) = Run();
        Assert.Equal(1, code);
        Assert.Equal(
            "eng/setup.sh: the .NET SDK 10 is missing (found: 8.0.404); install it from https://dot.net/download and run the command "
            + "again\n", error);
    }

    [Fact]
    public void What_is_missing_is_installed_and_nothing_else()
    {
        Provide("grep", "sed", "paste", "env", "uname", "readlink");
        Stand("dotnet", "echo '10.0.100 [/usr/share/dotnet/sdk]'");
        Stand("dpkg-query", """
            for p in "$@"; do [[ $p == -* || $p == cmake || $p == libpng-dev ]] || echo "$p installed"; done
            echo 'cmake not-installed'
            exit 1
            """);
        Stand("apt-get", """echo "$*" >>"${0%/*}/log" """);
        Stand("sudo", """exec "$@" """);
        Stand("update-alternatives", "exit 0");
        var (code, error) = Run();
        Assert.Equal(0, code);
        Assert.Contains("Installing with apt-get:\n  cmake ", error);
        var calls = File.ReadAllLines(Path.Combine(programs, "log"));
        Assert.Equal(2, calls.Length);
        Assert.EndsWith(" update", calls[0]);
        Assert.EndsWith(" install -y --no-install-recommends cmake libpng-dev", calls[1]);
    }

    [Fact]
    public void An_unknown_option_is_wrong_use() => Assert.Equal(2, Run("--test").Code);

    void Provide(params string[] names)
    {
        foreach (var name in names)
        {
            var folder = Environment.GetEnvironmentVariable("PATH")!.Split(':').First(folder => File.Exists(Path.Combine(folder, name)));
            File.CreateSymbolicLink(Path.Combine(programs, name), Path.Combine(folder, name));
        }
    }

    void Stand(string name, string body)
    {
        var file = Path.Combine(programs, name);
        File.WriteAllText(file, $"#!/bin/bash\n{body}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    (int Code, string Error) Run(string? argument = null, string? libtorch = null)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "DistillSharp.slnx"))) root = root.Parent!;
        var start =
            new ProcessStartInfo(
                "/bin/bash", [Path.Combine(root.FullName, "eng", "setup.sh"), .. argument is null ? Array.Empty<string>() : [argument]])
            {
                RedirectStandardError = true,
            };
        foreach (var name in new[] { "LIBTORCH", "Torch_DIR", "DISTILLSHARP_SKIP_SETUP" }) start.Environment.Remove(name);
        if (libtorch is not null) start.Environment["LIBTORCH"] = libtorch;
        start.Environment["PATH"] = programs;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }
}
