using System.Text.Json;
using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.SafeTensors;

/// <summary>
/// The index of weights that lie in several files: <c>{"weight_map": {"name": "file", ...}}</c>, as
/// <c>model.safetensors.index.json</c> and <c>pytorch_model.bin.index.json</c>.
/// </summary>
internal static class ShardIndex
{
    const int Longest = 100_000_000, MaxFiles = 1000;

    /// <summary>Whether a file may be one: JSON begins it.</summary>
    public static bool IsOne(ReadOnlySpan<byte> start) => start.TrimStart(" \t\r\n"u8) is [(byte)'{', ..];

    /// <summary>The files that the index names, in its order, each once.</summary>
    public static IReadOnlyList<string> Files(Stream file, string name)
    {
        UserException Fail(string what) => new($"{name}: {what}.");

        if (file.Length > Longest) throw Fail("is JSON, but too long for an index of weights");
        var files = new List<string>();
        var seen = new HashSet<string>();
        try
        {
            using var document = JsonDocument.Parse(file, new JsonDocumentOptions { MaxDepth = 16 });
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("weight_map", out var map)
                || map.ValueKind != JsonValueKind.Object)
                throw Fail("is JSON without a weight_map, so neither weights nor the index of weights in several files");
            foreach (var entry in map.EnumerateObject())
            {
                if (entry.Value.ValueKind != JsonValueKind.String || entry.Value.GetString() is not { } part)
                    throw Fail($"has no file for '{ShownText.Of(entry.Name)}'");
                // Only files beside the index: a path that leads elsewhere is none that a program wrote.
                if (part.Length == 0 || part.Contains('/') || part.Contains('\\') || part is "." or "..")
                    throw Fail($"names the file '{ShownText.Of(part)}', which does not lie beside it");
                if (seen.Add(part)) files.Add(part);
                if (files.Count > MaxFiles) throw Fail($"names more than {MaxFiles} files");
            }
        }
        // The parser lets bytes that are no UTF-8 pass until a text is asked for.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Fail("begins like JSON, but is damaged");
        }
        return files.Count > 0 ? files : throw Fail("names no files");
    }
}
