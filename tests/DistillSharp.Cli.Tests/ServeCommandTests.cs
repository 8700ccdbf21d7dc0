using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Cli.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class ServeCommandTests : IDisposable
{
    readonly SampleRuns samples = new();

    public void Dispose() => samples.Dispose();

    [Fact]
    public async Task A_page_is_served_until_Ctrl_C_and_training_says_where()
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet",
            ["exec", Path.Combine(AppContext.BaseDirectory, "distill.dll"), "serve", "--runs", samples.Root, "--port", "0"])
        {
            RedirectStandardOutput = true
        })!;
        var said = await process.StandardOutput.ReadLineAsync();
        var address = Regex.Match(said!, @"http://localhost:\d+/").Value;
        Assert.Equal($"{samples.Root} is shown at {address} (Ctrl-C ends it)", said);
        using var client = new HttpClient();
        Assert.Contains("<title>DistillSharp</title>", await client.GetStringAsync(address));

        File.WriteAllText(
            samples.At("recipe.yaml"),
            $"data: {{ set: cifar100, root: {samples.Images(100, 100)}, batch: 50 }}\nstudent: {{ network: resnet8 }}\ntrain: {{ epochs: "
            + $"1, precision: fp32 }}\n");
        var session = new Session();
        Assert.Equal(0, session.Run(CommandList.All(), "train", samples.At("recipe.yaml"), "--runs", samples.Root, "--name", "run"));
        Assert.Contains($"shown at {address}\n", session.Error);
        var log = File.ReadAllText(Path.Combine(samples.Root, "run", RunFiles.Log));
        Assert.Matches(@"(?s)cifar100: .*\n.*starts: 1 epochs of 2 steps.*\n.*epoch 1/1  loss .*Acc1 .*\n.*finished\n", log);

        // A page that listens is not waited for.
        using var listening = await client.GetAsync(address + "events", HttpCompletionOption.ResponseHeadersRead);
        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"])) kill.WaitForExit();
        Assert.True(process.WaitForExit(20_000));
        Assert.Equal(0, process.ExitCode);
        Assert.Null(ServedPage.Find(samples.Root));
        Assert.DoesNotContain(Directory.GetFiles(samples.Root), file => file.EndsWith(".page.json"));
    }

    [Theory]
    [InlineData("--address", "localhost", "--address takes an IP address, such as 0.0.0.0, not 'localhost'")]
    [InlineData("--port", "99999", "99999 is no port; give a number from 1 to 65535, or 0 for any that is free")]
    public void What_is_no_address_or_port_is_one_sentence(string option, string value, string message)
    {
        var session = new Session();
        Assert.Equal(2, session.Run(CommandList.All(), "serve", "--runs", samples.Root, option, value));
        Assert.Equal($"distill: {message}\n", session.Error);
        Assert.False(Directory.Exists(samples.Root));
    }
}
