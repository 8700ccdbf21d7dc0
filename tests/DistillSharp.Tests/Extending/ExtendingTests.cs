using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Training;
using MyExperiment;

namespace DistillSharp.Tests.Extending;

/// <summary>docs/extending.md shows the other files of this folder, and what they make is what it says.</summary>
public class ExtendingTests
{
    public const string Role = "extending";

    [Theory]
    [InlineData("SimilarityPreserving.cs")]
    [InlineData("PlainNet.cs")]
    [InlineData("MyTraining.cs")]
    public void The_page_shows_the_code_that_is_tested(string file)
    {
        var code = File.ReadAllText(Path.Combine(SourceTree.Root, "tests/DistillSharp.Tests/Extending", file));
        Assert.Contains($"```csharp\n{code}```\n", File.ReadAllText(Path.Combine(SourceTree.Root, "docs/extending.md")));
    }

    // In a process of its own: the names stay registered, and other tests list all names.
    [Fact]
    public void The_code_does_what_the_page_says()
    {
        using var child = ChildProgram.Start(Role);
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, child.StandardError.ReadToEnd());
        Assert.Equal(
            """
            similarity: student stage 2 meets teacher stage 2
            kd: temperature 4
            terms: ce similarity kd
            completed: True
            recipe: similarity from_last 2 weight 1000, kd; student plain
            stages: 16x32x32 16x32x32 32x16x16 64x8x8
            every other method: at crd dkd fitnet fsecd ofd rkd
            """.ReplaceLineEndings("\n"),
            output.TrimEnd());
    }

    public static int Run(string[] _)
    {
        MyTraining.Register();
        using var teacher = Networks.Create("resnet8", 4, seed: 2);

        var result = MyTraining.Train(RandomImages(), teacher, new Log());
        Console.WriteLine($"completed: {result.Completed}");

        var recipe = MyTraining.Recipe();
        var methods = recipe.CreateMethods();
        Console.WriteLine($"recipe: {methods[0].Name} from_last {((SimilarityPreserving)methods[0]).FromLast} weight {methods[0].Weight}, {methods[1].Name}; student {recipe.Student.Network}");

        using var student = Networks.Create("plain", 4, seed: 1);
        Console.WriteLine($"stages: {string.Join(" ", student.Describe().Stages)}");
        string[] others = ["at", "crd", "dkd", "fitnet", "fsecd", "ofd", "rkd"];
        foreach (var name in others)
            DistillationMethods.Create(name).Bind(new(PairMember.Of(student, 32), PairMember.Of(student, 32), 4, new[] { 0, 1 }));
        Console.WriteLine($"every other method: {string.Join(" ", others)}");
        return 0;
    }

    static Dataset RandomImages()
    {
        var random = new Random(1);
        ImageSet Set(int count)
        {
            var pixels = new byte[count * 32 * 32 * 3];
            random.NextBytes(pixels);
            return new(pixels, 32, 32, 3, [.. Enumerable.Range(0, count).Select(i => i % 4)], ["a", "b", "c", "d"]);
        }
        return new("random", Set(24), Set(8), [.5f, .5f, .5f], [.25f, .25f, .25f]);
    }

    sealed class Log : TrainingObserver
    {
        bool first = true;

        public override void Said(string message) => Console.WriteLine(message);

        public override void Stepped(StepReport report)
        {
            if (first) Console.WriteLine($"terms: {string.Join(" ", report.Terms.Select(term => term.Name))}");
            first = false;
        }
    }
}
