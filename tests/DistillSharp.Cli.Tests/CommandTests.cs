using System.Text.Json;

namespace DistillSharp.Cli.Tests;

public class CommandTests
{
    [Fact]
    public void Models_computes_the_figures_of_every_network()
    {
        var resnet56 = Json("models").EnumerateArray().Single(model => model.GetProperty("name").GetString() == "resnet56");
        Assert.Equal(861_620, resnet56.GetProperty("parameters").GetInt64());
        // The stem, 54 convolutions of 3x3, two projections and the classifier, worked out by hand.
        Assert.Equal(125_753_600, resnet56.GetProperty("macs").GetInt64());
        Assert.Equal(64, resnet56.GetProperty("pooled_width").GetInt64());
    }

    [Fact]
    public void Methods_lists_every_setting_with_its_default()
    {
        var fsecd = Json("methods").EnumerateArray().Single(method => method.GetProperty("name").GetString() == "fsecd");
        var settings =
            fsecd.GetProperty("settings").EnumerateArray()
                .ToDictionary(setting => setting.GetProperty("name").GetString()!, setting => setting.GetProperty("default").GetString());
        Assert.Equal("instance", settings["policy"]);
        Assert.Equal("pooled", settings["layer"]);
        Assert.Equal("0.05", settings["temperature"]);
        Assert.Equal("3", settings["weight"]);
    }

    [Fact]
    public void Doctor_measures_and_shows_no_markup()
    {
        var findings =
            Json("doctor").GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("name").GetString()).ToArray();
        Assert.Contains("libtorch", findings);
        Assert.Contains("BLAS", findings);
        var session = new Session();
        session.Run(CommandList.All(), "doctor");
        Assert.DoesNotContain("[green]", session.Out);
        Assert.Contains("GFLOP/s", session.Out);
    }

    [Fact]
    public void A_missing_recipe_or_folder_of_cases_is_one_sentence()
    {
        var session = new Session();
        Assert.Equal(1, session.Run(CommandList.All(), "train", "no-such-recipe.yaml"));
        Assert.Contains("no-such-recipe.yaml", session.Error);
        Assert.Equal(1, session.Run(CommandList.All(), "verify", "no-such-folder"));
        Assert.Contains("no-such-folder", session.Error);
    }

    static JsonElement Json(string command)
    {
        var session = new Session();
        session.Run(CommandList.All(), command, "--json");
        return JsonDocument.Parse(session.Out).RootElement;
    }
}
