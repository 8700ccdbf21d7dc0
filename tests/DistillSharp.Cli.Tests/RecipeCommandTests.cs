using System.Text.Json;
using DistillSharp.Cli.Commands;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Models;

namespace DistillSharp.Cli.Tests;

public class RecipeCommandTests
{
    static (int Code, string Out, string Error) Run(params string[] arguments)
    {
        var session = new Session();
        return (session.Run([new RecipeCommand()], ["recipe", .. arguments]), session.Out, session.Error);
    }

    [Fact]
    public void Show_prints_the_whole_recipe()
    {
        var (code, output, error) =
            Run("show", "table3/resnet56-resnet20/kd", "--set", "train.epochs=24", "--set", "methods.kd.temperature=2");
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("data:\n  set: cifar100\n", output);
        Assert.Contains("  epochs: 24\n  optimizer: sgd\n  lr: 0.05\n  schedule: { steps: [15, 18, 21], factor: 0.1 }\n", output);
        Assert.Contains("  - name: kd\n    temperature: 2\n    standardize: false\n    weight: 0.9\nce:\n  weight: 0.1\n", output);
    }

    [Fact]
    public void Show_as_json_is_one_object()
    {
        var (code, output, _) = Run("show", "table3/resnet56-resnet20/fsecd", "--json");
        Assert.Equal(0, code);
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal("resnet56-resnet20-fsecd-s1", json.GetProperty("run").GetString());
        Assert.Equal("0.05", json.GetProperty("settings").GetProperty("train.lr").GetString());
        Assert.Equal(64, json.GetProperty("digest").GetString()!.Length);
        Assert.StartsWith("data:\n", json.GetProperty("yaml").GetString());
    }

    [Fact]
    public void A_warning_goes_to_standard_error()
    {
        var (code, output, error) = Run("show", "table3/resnet56-resnet20/ce", "--set", "train.schedule={ steps: [300] }");
        Assert.Equal(0, code);
        Assert.StartsWith("data:", output);
        Assert.StartsWith("warning: --set train.schedule={ steps: [300] }: the learning rate is to fall after epoch 300", error);
    }

    [Fact]
    public void Check_names_what_is_missing()
    {
        var (code, output, error) = Run("check", "table3/resnet56-resnet20/ce", "--set", "data.root=no/such");
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("distill: --set data.root=no/such: there is no folder 'no/such' (data.root)", error);
        (code, output, _) = Run("check", "table3/resnet56-resnet20/ce", "--set", "data.root=.");
        Assert.Equal(
            (0, "table3/resnet56-resnet20/ce: resnet20 learns from the labels alone, on cifar100, 240 epochs in batches of 64; "
                + "everything it names is there\n"), (code, output));
    }

    [Fact]
    public void Check_refuses_a_teacher_that_cannot_load()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "no weights");
            string[] given = ["table3/resnet56-resnet20/fsecd", "--set", "data.root=.", "--set", $"teacher.weights={file}"];
            var (code, output, error) = Run(["check", .. given]);
            Assert.Equal((1, ""), (code, output));
            Assert.StartsWith($"distill: {file}: ", error);
            using (var teacher = Networks.Create("resnet56", 100)) PyTorchFile.Write(file, teacher.StoredState());
            Assert.Equal(0, Run(["check", .. given]).Code);
            using (var other = Networks.Create("resnet56", 10)) PyTorchFile.Write(file, other.StoredState());
            (code, _, error) = Run(["check", .. given]);
            Assert.Equal(1, code);
            Assert.Contains("resnet56", error);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void List_prints_every_name()
    {
        var (code, output, _) = Run("list");
        Assert.Equal(0, code);
        var lines = output.TrimEnd().Split('\n');
        Assert.True(lines.Length > 131);
        Assert.Contains("table3/resnet56-resnet20/fsecd", lines);
        Assert.Contains("teacher/resnet56", lines);
        Assert.Equal(lines, JsonSerializer.Deserialize<string[]>(Run("list", "--json").Out));
    }

    [Theory]
    [InlineData(
        "distill: 'distill recipe' needs a command: show, check, list ('distill recipe --help' says what each does)\n", new string[0])]
    [InlineData("distill: there is no command 'shwo'; did you mean 'show'?\n", new[] { "shwo" })]
    [InlineData("distill: 'distill recipe show' needs RECIPE ('distill recipe show --help' shows its use)\n", new[] { "show" })]
    [InlineData(
        "distill: 'distill recipe show' has no option '--sett'; did you mean '--set'?\n", new[] { "show", "x.yaml", "--sett", "a=b" })]
    [InlineData(
        "distill: --set train.epochs=0: train.epochs is '0'; it must be a whole number from 1 to 1000000\n",
        new[] { "show", "table3/resnet56-resnet20/ce", "--set", "train.epochs=0" })]
    public void Wrong_use_exits_with_2(string says, string[] arguments)
    {
        var (code, output, error) = Run(arguments);
        Assert.Equal((2, "", says), (code, output, error));
    }

    [Fact]
    public void Help_shows_the_members_and_their_examples()
    {
        var (code, output, _) = Run("--help");
        Assert.Equal(0, code);
        Assert.Contains("  show <RECIPE>", output);
        Assert.Contains("Examples:\n  distill recipe show table3/resnet56-resnet20/fsecd\n", output);
        Assert.Contains("distill recipe show recipes/cifar100-resnet56-resnet20-kd.yaml", Run("show", "--help").Out);
    }
}
