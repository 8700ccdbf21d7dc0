namespace DistillSharp.Onnx.Teachers;

/// <summary>Which outputs of a graph are used.</summary>
/// <param name="Logits">The name of the logits; null for none.</param>
/// <param name="Pooled">The name of the pooled features; null for none.</param>
sealed record OnnxOutputs(string? Logits, string? Pooled)
{
    /// <summary>Checks that the outputs that a teacher names are there.</summary>
    /// <returns>Those whose shapes must be seen: the named ones, or all where none is named.</returns>
    /// <exception cref="UserException">One is not there.</exception>
    public static string[] Asked(OnnxGraphFile graph, TeacherFile file)
    {
        string[] all = [.. graph.Outputs.Select(output => output.Name)];
        foreach (var (key, name) in new[] { ("logits", file.Logits), ("pooled", file.Pooled) })
            if (name is not null && !all.Contains(name))
                throw new UserException(
                    $"{graph.Path}: has no output '{name}' for {key}; it gives {string.Join(", ", all)}{Nearest.Hint(name, all)}");
        string[] named = [.. new[] { file.Logits, file.Pooled }.OfType<string>().Distinct()];
        return named is [] ? all : named;
    }

    /// <summary>Chooses by what the graph returned.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="file">What is asked of it.</param>
    /// <param name="shapes">The shapes of the outputs by their names.</param>
    /// <exception cref="UserException">An output is not what it is named for, or none is named and none is likely.</exception>
    public static OnnxOutputs Of(OnnxGraphFile graph, TeacherFile file, IReadOnlyDictionary<string, long[]> shapes)
    {
        if (file is { Logits: null, Pooled: null }) return new(Likely(graph, file, shapes), null);
        if (file.Logits is { } logits && !IsLogits(shapes[logits], file.Classes))
            throw new UserException($"{graph.Path}: the output {logits} is {Shown(shapes[logits])}, no logits of {file.Classes} classes"
                + (IsRow(shapes[logits]) ? $": the network knows {shapes[logits][1]}" : ""));
        if (file.Pooled is { } pooled && shapes[pooled].Length is not (2 or 4))
            throw new UserException(
                $"{graph.Path}: the output {pooled} is {Shown(shapes[pooled])}; pooled features are [N, width], or [N, width, h, w]");
        return new(file.Logits, file.Pooled);
    }

    static string Likely(OnnxGraphFile graph, TeacherFile file, IReadOnlyDictionary<string, long[]> shapes)
    {
        var likely = shapes.Where(output => IsLogits(output.Value, file.Classes)).ToList();
        if (likely is [var only]) return only.Key;
        var all = string.Join(", ", shapes.Select(output => $"{output.Key} {Shown(output.Value)}"));
        throw new UserException($"{graph.Path}: it must be said what is used: logits or pooled or both, of {all}");
    }

    static bool IsRow(long[] shape) => shape.Length >= 2 && shape.Skip(2).All(size => size == 1);

    static bool IsLogits(long[] shape, int classes) => IsRow(shape) && shape[1] == classes;

    static string Shown(long[] shape) => $"[{string.Join(", ", shape)}]";
}
