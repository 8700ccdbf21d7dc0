using DistillSharp.Formats;
using DistillSharp.Models;
using DistillSharp.Onnx.Teachers;

namespace DistillSharp.Cli.Commands;

sealed class WeightsCommand : CliCommand
{
    const int MaxListed = 12;

    readonly CliArgument<string> file =
        new("FILE", "A file of weights: PyTorch, safetensors or its index, numpy's .npz, TorchSharp; or an ONNX file");

    public WeightsCommand() : base("weights", "Show what is in a file of weights, and which networks it fits.",
        "distill weights resnet56.pth", "distill weights checkpoint.pth --json", "distill weights teacher.onnx") => Takes(file, Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var path = given.GetValue(file)!;
        if (Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase))
            return ShowGraph(path, given.GetValue(Json), terminal);
        var content = WeightsFile.Describe(path);
        var fits = NetworkMatch.In(Toolkit.Networks, content);
        if (given.GetValue(Json))
        {
            terminal.Json(new
            {
                content.File, content.Kind,
                Groups = content.Groups.Select(group => new
                {
                    group.Key, Tensors = group.Tensors.Select(tensor => new { tensor.Name, tensor.Shape, Type = tensor.ElementType }),
                }),
                content.Foreign, content.Notes, Fits = fits,
            });
            return 0;
        }
        terminal.Out.WriteLine($"{content.File}: {content.Kind}");
        foreach (var group in content.Groups.Take(MaxListed))
        {
            var types = group.Tensors.Select(tensor => tensor.ElementType).Distinct();
            var of = Networks(fits.Where(fit => fit.Key == group.Key));
            terminal.Out.WriteLine($"{(group.Key.Length > 0 ? $"{Shown(group.Key)}: " : "")}{group.Tensors.Count.Of("tensor")}, "
                + $"{group.Tensors.Sum(tensor => tensor.Count).Of("value")} ({string.Join(", ", types)}){of}");
            foreach (var tensor in group.Tensors)
                terminal.Out.WriteLine($"  {Shown(tensor.Name)}  [{string.Join(", ", tensor.Shape)}]  {tensor.ElementType}");
        }
        if (content.Groups.Count > MaxListed)
            terminal.Out.WriteLine($"and {content.Groups.Count - MaxListed} more sets of tensors; --json has them all");
        if (content.Foreign.Count > 0) terminal.Out.WriteLine("objects of other programs, passed over (nothing of them is run):");
        foreach (var foreign in content.Foreign) terminal.Out.WriteLine($"  {foreign}");
        foreach (var note in content.Notes) terminal.Out.WriteLine(note);
        if (fits.Count == 0) terminal.Out.WriteLine("They fit none of the networks that 'distill models' lists.");
        return 0;
    }

    static int ShowGraph(string path, bool asJson, Terminal terminal)
    {
        using var graph = new OnnxGraphFile(path);
        if (asJson)
        {
            terminal.Json(new { File = path, Kind = OnnxGraphFile.Kind, graph.Inputs, graph.Outputs });
            return 0;
        }
        terminal.Out.WriteLine($"{path}: {OnnxGraphFile.Kind}");
        foreach (var value in graph.Inputs) terminal.Out.WriteLine(Shown($"takes  {value}"));
        foreach (var value in graph.Outputs) terminal.Out.WriteLine(Shown($"gives  {value}"));
        terminal.Out.WriteLine("As a teacher: teacher: { onnx: FILE, logits: OUTPUT, pooled: OUTPUT }, one of the two or both.");
        return 0;
    }

    static string Networks(IEnumerable<NetworkMatch> fits)
    {
        var said = fits.Select(
            fit => $"{fit.Network} with {fit.Classes} classes{(fit.Prefix.Length > 0 ? $" without {Shown(fit.Prefix)}" : "")}").ToList();
        return said.Count > 0 ? $": {string.Join(", ", said)}" : "";
    }

    // Names come from a file that anyone can have written: no control characters reach the terminal.
    static string Shown(string text) => string.Concat(text.Select(character => char.IsControl(character) ? '?' : character));
}
