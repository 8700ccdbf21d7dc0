using DistillSharp.Formats.Files;
using DistillSharp.Formats.NumPy;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.Tensors;
using DistillSharp.Formats.TorchSharp;

namespace DistillSharp.Formats;

/// <summary>
/// Weights in whatever form they come: PyTorch's zip form, its older form, plain pickles of arrays, safetensors (in several files
/// too, by their index), numpy's archives, TorchSharp's state files. The content decides, not the name. Files are read as data;
/// nothing in them is run.
/// </summary>
public static class WeightsFile
{
    /// <summary>
    /// Reads the named tensors of a file in its order and under its names. Where a checkpoint of PyTorch holds several dicts of
    /// tensors, the one under the likeliest key is taken: <c>state_dict</c>, <c>model_state_dict</c>, <c>model</c> and the like.
    /// </summary>
    /// <exception cref="UserException">There is no such file, it holds no weights in a known form, or it is damaged.</exception>
    public static IReadOnlyList<StoredTensor> Read(string path) => Use(path, content => content.Main.Read());

    /// <summary>Reads from the start of a seekable stream.</summary>
    internal static IReadOnlyList<StoredTensor> Read(Stream file, string name) => Use(file, name, content => content.Main.Read());

    /// <summary>Says what a file holds; no tensor's elements are read.</summary>
    /// <exception cref="UserException">There is no such file, it holds no weights in a known form, or it is damaged.</exception>
    public static WeightsContent Describe(string path) => Use(path, content => content);

    /// <summary>Opens a file; its tensors can be read as long as the function runs.</summary>
    internal static T Use<T>(string path, Func<WeightsContent, T> use) => InputFile.Read(path, file => Use(file, path, use));

    /// <summary>The same for a seekable stream, from its start.</summary>
    internal static T Use<T>(Stream file, string name, Func<WeightsContent, T> use)
    {
        switch (FileKinds.Of(file, name))
        {
            case FileKind.Zip:
                var budget = new AllocationBudget(name, file.Length);
                using (var records = new ZipRecords(file, name, budget)) return use(Checked(Archive(records, name, budget), []));
            case FileKind.TorchLegacy:
                return use(Checkpoint("PyTorch (before 1.6)", TorchLegacy.Read(file, name), name));
            case FileKind.Pickle:
                return use(Checkpoint("Python pickle", CheckpointContent.OfPickle(file, name), name));
            case FileKind.SafeTensors:
                var (group, header) = SafeTensorsFile.Entries(file, name);
                return use(Checked(new(name, "safetensors", [group])
                {
                    Notes = header.Tail > 0 ? [$"{header.Tail} bytes at the file's end belong to no tensor and are left out"] : [],
                }, []));
            case FileKind.ShardIndex:
                return use(Shards(file, name));
            default:
                return use(Checked(new(name, "TorchSharp", [TorchSharpFile.Entries(file, name)]), []));
        }
    }

    static WeightsContent Archive(ZipRecords records, string name, AllocationBudget budget)
    {
        if (TorchZip.IsOne(records)) return Checkpoint("PyTorch (zip)", TorchZip.Read(records, name, budget), name);
        if (NpzFile.IsOne(records)) return new(name, "numpy archive", [NpzFile.Read(records, name, budget)]);
        var held = string.Join(", ", records.Names.Take(3).Select(entry => $"'{ShownText.Of(entry)}'"));
        throw new UserException($"{name}: is a zip archive without data.pkl or arrays of numpy, so no file of "
            + $"weights{(held.Length > 0 ? $"; it holds {held}: unpack it, if one of them is what you look for" : "")}.");
    }

    static WeightsContent Checkpoint(string kind, CheckpointContent content, string name) =>
        Checked(new(name, kind, content.Groups) { Foreign = content.Foreign }, content.Keys, content.Trouble);

    static WeightsContent Checked(WeightsContent content, IReadOnlyList<string> keys, string? trouble = null)
    {
        if (content.Groups.Any(group => group.Tensors.Count > 0)) return content;
        var said = keys.Count > 0 ? $"; its keys are {string.Join(", ", keys.Select(key => $"'{ShownText.Of(key)}'"))}" : "";
        var model = trouble is not null ? $" ({trouble.TrimEnd('.')})"
            : content.Foreign.Count > 0
            ? $"; it holds {content.Foreign[0]}, which is not known here and was not run. Save the weights alone: "
                + "torch.save(model.state_dict(), path)" : "";
        throw new UserException($"{content.File}: no state dict was found: nothing in it is a tensor under a name{said}{model}.");
    }

    /// <summary>The files beside an index, as one: their tensors are read at once, file by file.</summary>
    static WeightsContent Shards(Stream file, string name)
    {
        var files = ShardIndex.Files(file, name);
        var folder = Path.GetDirectoryName(Path.GetFullPath(name))!;
        var tensors = new List<TensorEntry>();
        foreach (var part in files)
        {
            var path = Path.Combine(folder, part);
            if (!File.Exists(path))
                throw new UserException(
                    $"{name}: names the file {ShownText.Of(part)}, which is not there; all {files.Count} files must lie beside it.");
            using var opened = File.OpenRead(path);
            if (FileKinds.Of(opened, path) == FileKind.ShardIndex)
                throw new UserException($"{name}: names {ShownText.Of(part)}, which is an index again.");
            tensors.AddRange(Read(path).Select(TensorEntry.Of));
        }
        return new(name, $"{files.Count} files by their index", [new("", tensors)]);
    }
}
