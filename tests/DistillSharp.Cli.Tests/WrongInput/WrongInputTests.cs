using DistillSharp.Tests;
using DistillSharp.Tests.Data;

namespace DistillSharp.Cli.Tests.WrongInput;

/// <summary>
/// What a user can give wrongly, through the command: one clear sentence, 2 where the request itself was wrong and 1 where a
/// file or the machine is, and nothing written, not even by halves.
/// </summary>
public abstract class WrongInputTests : IDisposable
{
    private protected TemporaryFolder Folder { get; } = new();

    /// <summary>A data set of 16 and 10 gray images of noise that is in order, in <c>data</c>, and a recipe that trains on it.</summary>
    protected WrongInputTests()
    {
        SmallFiles.Write(Folder["data"],
        [
            ("train-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(16 * 784, 1), 16, 28, 28)),
            ("train-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 16).Select(i => (byte)(i % 10))], 16)),
            ("t10k-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(10 * 784, 2), 10, 28, 28)),
            ("t10k-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 10).Select(i => (byte)i)], 10)),
        ]);
        Write();
    }

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected string Recipe => Folder["recipe.yaml"];

    private protected string Runs => Folder["runs"];

    /// <summary>Writes the recipe, some of its sections replaced.</summary>
    private protected void Write(string? data = null, string teacher = "", string train = "epochs: 1, precision: fp32") =>
        File.WriteAllText(Recipe, $$"""
        data: { {{data ?? $"set: fashion-mnist, root: '{Folder["data"]}', batch: 8"}} }
        student: { network: resnet8 }
        train: { {{train}} }
        {{teacher}}

        """);

    /// <summary>The command fails with the code and says so in one sentence that holds the words; everything is as it was.</summary>
    private protected void Refused(int code, string[] said, params string[] arguments)
    {
        var before = Snapshot();
        var session = new Session();
        var answer = session.Run(CommandList.All(), arguments);
        Assert.True(answer == code, $"{answer} instead of {code}: {session.Error}");
        // What was found in the data may be said before.
        Assert.Single(session.Error.Split('\n'), line => line.StartsWith("distill: ", StringComparison.Ordinal));
        Assert.All(said, words => Assert.Contains(words, session.Error));
        Assert.DoesNotContain("internal error", session.Error);
        Assert.DoesNotContain(" at DistillSharp.", session.Error);
        Assert.Equal("", session.Out);
        Assert.Equal(before, Snapshot());
    }

    private protected void TrainRefused(int code, params string[] said) =>
        Refused(code, said, "train", Recipe, "--runs", Runs, "--name", "wrong");

    // Names and lengths of all that lies in the test's folder; what cannot be looked into counts by its name.
    string[] Snapshot() =>
        [.. Directory.EnumerateFileSystemEntries(
            Folder.Path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
        .Select(path => $"{path} {(File.Exists(path) ? new FileInfo(path).Length : 0)}").Order(StringComparer.Ordinal)];
}
