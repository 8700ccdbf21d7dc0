using DistillSharp.Models;

namespace DistillSharp.Cli.Commands;

sealed class ModelsCommand : CliCommand
{
    readonly CliOption<int> classes = new("--classes", "Number of classes; 0 means 100 for CIFAR networks and 1000 for ImageNet ones");

    public ModelsCommand()
        : base("models", "List the networks: parameters, work and features.", "distill models", "distill models --classes 10 --json") =>
        Takes(classes, Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var cards = NetworkCard.All(Toolkit.Networks, given.GetValue(classes) is > 0 and var count ? count : null);
        if (given.GetValue(Json))
        {
            terminal.Json(cards.Select(card => new
            {
                card.Name, card.Parameters, card.Macs, card.Classes, Input = new[] { 3, card.Input.Height, card.Input.Width },
                card.PooledWidth, Stages = card.Stages.Select(stage => new[] { stage.Channels, stage.Height, stage.Width }),
            }));
            return 0;
        }
        var table = new FittingTable(
            new("network"), new("parameters", IsNumber: true), new("MACs", IsNumber: true, Drop: 4), new("input", Drop: 3),
            new("stages (channels x height x width)", Drop: 1), new("pooled", IsNumber: true, Drop: 2))
        { ForAll = "--json has all" };
        foreach (var card in cards)
            table.Add(card.Name, $"{card.Parameters / 1e6:0.00} M",
                $"{card.Macs / 1e6:0.0} M", $"{card.Input}", string.Join(" ", card.Stages), $"{card.PooledWidth}");
        table.Write(terminal);
        return 0;
    }
}
