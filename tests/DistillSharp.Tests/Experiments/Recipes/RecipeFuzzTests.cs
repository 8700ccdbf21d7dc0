using System.Text;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Tests.Formats;
using FsCheck.Fluent;

namespace DistillSharp.Tests.Experiments.Recipes;

public class RecipeFuzzTests
{
    static readonly byte[][] valid = [Encoding.UTF8.GetBytes(RecipeTests.Full), Encoding.UTF8.GetBytes(RecipeTests.Small),
        Encoding.UTF8.GetBytes(Recipe.Parse(RecipeTests.Full).Resolve())];

    [Fact]
    public void A_damaged_recipe_is_read_or_refused()
    {
        var accepted = Fuzz.Run(valid, file => Recipe.Parse(Encoding.UTF8.GetString(file)).Resolve());
        Assert.True(accepted > 0);
    }

    // Words that mean something to YAML or to a recipe, shuffled: they reach deeper than damaged bytes.
    [Fact]
    public void Words_in_any_order_are_read_or_refused()
    {
        string[] words =
            ["data", "train", "methods", "teacher", "student", "ce", "schedule", "steps", "name", "set", "cifar100", "resnet20", "fsecd",
            ": ", "\n", "\n  ", "\n- ", "- ", "{", "}", "[", "]", ", ", "'", "\"", "\"\\U", "\\x", "|\n ", ">-\n ", "# ", "? ",
                "%YAML 9.9\n", "%TAG ! x\n", "---\n", "...\n",
            "&a ", "*a", "!!int ", "!<x> ", "<<", "~", "null", "0", "-1", "1e9", "9999999999999999999", ".nan", "\t", "\u0085", "\ufeff",
                "\ud83d\ude00"];
        for (var seed = 0; seed < Fuzz.Cases; seed++)
        {
            var random = new Random(seed);
            var text = string.Concat(random.GetItems(words, random.Next(1, 40)));
            Refuses(() => Recipe.Parse(text).Resolve(), seed, text);
        }
    }

    [Fact]
    public void An_override_is_applied_or_refused()
    {
        string[] paths =
            ["train.epochs", "methods[0].weight", "methods.fsecd.policy", "data.mean", "data", "methods", "train.schedule.steps", "x",
                "teacher.weights", "methods[0]", "a.b.c"];
        var texts = ArbMap.Default.GeneratorFor<string>().Sample(Fuzz.Cases, 12).ToArray();
        var recipe = Recipe.Parse(RecipeTests.Small);
        for (var seed = 0; seed < texts.Length; seed++)
        {
            var given = seed % 4 == 0 ? texts[seed] ?? "" : $"{paths[seed % paths.Length]}={texts[seed]}";
            Refuses(() => recipe.With(given).Resolve(), seed, given);
        }
    }

    static void Refuses(Action read, int seed, string text)
    {
        try
        {
            read();
        }
        catch (UserException refusal)
        {
            Assert.False(string.IsNullOrWhiteSpace(refusal.Message));
        }
        catch (Exception other)
        {
            Assert.Fail($"seed {seed}: {other}\n{text}");
        }
    }
}
