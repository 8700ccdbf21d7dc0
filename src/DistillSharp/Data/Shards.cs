namespace DistillSharp.Data;

/// <summary>
/// Photographs in WebDataset's shards: tar files whose entries of one key, such as <c>n01440764_10026.jpg</c> and
/// <c>n01440764_10026.cls</c>, lie one after the other and are one sample. The label is the number in <c>.cls</c>, or <c>label</c> or
/// <c>cls</c> of <c>.json</c>.
/// </summary>
static class Shards
{
    /// <summary>The file beside shards that holds the classes' names.</summary>
    internal const string ClassList = "classes.txt";

    static readonly string[] train = ["train", "training"], test = ["val", "valid", "validation", "test"];

    /// <summary>Finds the shards and looks through them.</summary>
    /// <param name="root">A folder of shards, a pattern of their names, or several parted by <c>::</c>.</param>
    /// <param name="options">How they are read.</param>
    /// <exception cref="UserException">There are none, or what is in them cannot be read.</exception>
    public static (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options)
    {
        var shards = Find(root);
        var (learned, measured) = (Part(shards, train, root), Part(shards, test, root));
        var (first, second) = (Look(learned, "train"), Look(measured, "val"));
        foreach (var sentence in PhotographProblems.Of(options, first.Findings.Damaged.Concat(second.Findings.Damaged)))
            throw new UserException(sentence);
        foreach (var (part, index) in new[] { (learned, first), (measured, second) })
            if (index.Count == 0)
                throw new UserException(
                    $"'{part[0]}'{(part.Count > 1 ? $" and {part.Count - 1} more shards hold" : " holds")} no image with a label");
        var (labels, measuredLabels) = (first.Labels(), second.Labels());
        var names = Names(shards[0], options, Math.Max(labels.Max(), measuredLabels.Max()) + 1);
        return (Set(first, labels), Set(second, measuredLabels));

        PhotographSet Set(PhotographIndex index, int[] labels) =>
            new(new IndexedFiles(index, "/"), labels, names, index.Findings.Notes(index.Findings.Damaged), options);
    }

    /// <summary>Whether there are shards at a root.</summary>
    public static bool Exist(string root) =>
        BracePattern.IsPattern(root) ? BracePattern.Expand(root).Any(File.Exists) : File.Exists(root) || Directory.Exists(root);

    static IReadOnlyList<string> Find(string root)
    {
        if (BracePattern.IsPattern(root))
        {
            var named = BracePattern.Expand(root);
            var missing = named.Where(shard => !File.Exists(shard)).ToArray();
            return missing.Length == 0 ? named : throw new UserException(
                $"{missing.Length} of the {named.Count} shards that '{root}' names {(missing.Length == 1 ? "is" : "are")} missing: "
                + $"'{missing[0]}'{(missing.Length > 1 ? $" and {missing.Length - 1} more" : "")}");
        }
        if (File.Exists(root)) return [root];
        string[] found = Directory.Exists(root)
            ? [.. Directory.EnumerateFiles(root, "*.tar", SearchOption.AllDirectories).Order(StringComparer.Ordinal)] : [];
        return found.Length > 0 ? found
            : throw new UserException($"'{root}' holds no shards; it should hold train-000000.tar, val-000000.tar and so on, or be a "
                + "pattern such as DIR/train-{000000..000127}.tar::DIR/val-{000000..000006}.tar");
    }

    // By a word of the file's name, or where that has none by one of its folder's: imagenet-train-000001.tar, val/0003.tar.
    static IReadOnlyList<string> Part(IReadOnlyList<string> shards, string[] words, string root)
    {
        string[] part = [.. shards.Where(shard => words.Contains(Word(shard), StringComparer.OrdinalIgnoreCase))];
        return part.Length > 0 ? part : throw new UserException($"none of the {shards.Count} shard{(shards.Count == 1 ? "" : "s")} of "
            + $"'{root}' has {string.Join(" or ", words.Select(word => $"'{word}'"))} in its name, which is how the images to "
            + $"{(words == train ? "train" : "measure")} on are found");
    }

    static string? Word(string shard) =>
        new[] { Path.GetFileName(shard), Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(shard)))! }
            .SelectMany(name => name.Split('-', '_', '.'))
            .FirstOrDefault(word => train.Concat(test).Contains(word, StringComparer.OrdinalIgnoreCase));

    static PhotographIndex Look(IReadOnlyList<string> shards, string part)
    {
        var place = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(shards[0]))!, $".distill-{part}.index");
        var paths = shards.Select(Path.GetFullPath).ToList();
        return KeptIndex.Get(place, "/", kept => kept.Findings.Containers.Select(container => container.Path).SequenceEqual(paths),
            writer => Write(writer, paths));
    }

    static PhotographFindings Write(PhotographIndexWriter writer, List<string> shards)
    {
        var findings = new PhotographFindings { Containers = [.. shards.Select(shard => PhotographContainer.Of("/", shard))] };
        var wave = Environment.ProcessorCount * 4;
        for (var start = 0; start < shards.Count; start += wave)
        {
            var scans = new ShardScan[Math.Min(wave, shards.Count - start)];
            try
            {
                Parallel.For(0, scans.Length, i => scans[i] = ShardScan.Of(shards[start + i], start + i));
            }
            catch (AggregateException e) when (e.InnerExceptions.FirstOrDefault(one => one is UserException) is { } first)
            {
                throw new UserException(first.Message, first);
            }
            foreach (var scan in scans)
            {
                scan.Entries.ForEach(writer.Add);
                findings.Damaged.AddRange(scan.Damaged);
                foreach (var (kind, count) in scan.LeftOut) findings.LeftOut[kind] = findings.LeftOut.GetValueOrDefault(kind) + count;
                foreach (var (kind, count) in scan.Misnamed) findings.Misnamed[kind] = findings.Misnamed.GetValueOrDefault(kind) + count;
            }
        }
        return findings;
    }

    static IReadOnlyList<string> Names(string shard, ReadOptions options, int classes)
    {
        var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(shard))!, ClassList);
        var names = options.Classes ?? (File.Exists(beside) ? ClassNames.Read(beside) : null);
        if (names is null) return [.. Enumerable.Range(0, classes).Select(label => label.ToString(CultureInfo.InvariantCulture))];
        return names.Count >= classes ? names : throw new UserException(
            $"the list of classes has {names.Count} names, but the shards have labels up to {classes - 1}, which start at 0");
    }
}
