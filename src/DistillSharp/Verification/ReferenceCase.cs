using System.Text.Json;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Verification;

/// <summary>One reference file: what it is, and the numbers that an independent implementation computed.</summary>
sealed class ReferenceCase
{
    readonly string path;
    readonly Dictionary<string, StoredTensor> stored;
    readonly IReadOnlyDictionary<string, string> metadata;

    public ReferenceCase(string path)
    {
        this.path = path;
        (var tensors, metadata) = SafeTensorsFile.Read(path);
        stored = tensors.ToDictionary(tensor => tensor.Name);
        Values = new(metadata.GetValueOrDefault("salt", ""));
    }

    public ReferenceValues Values { get; }

    public string Text(string key) => metadata.TryGetValue(key, out var value) ? value : throw Broken($"says nothing of '{key}'");

    public string? TextOrNull(string key) => metadata.GetValueOrDefault(key);

    public int Whole(string key) =>
        int.TryParse(Text(key), out var value) ? value : throw Broken($"'{key}' is '{Text(key)}', not a whole number");

    public double Number(string key) =>
        double.TryParse(Text(key), CultureInfo.InvariantCulture, out var value) ? value
        : throw Broken($"'{key}' is '{Text(key)}', not a number");

    public long[] Sizes(string key) => Parsed<long[]>(key);

    public T Parsed<T>(string key)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(Text(key)) ?? throw Broken($"'{key}' is null");
        }
        catch (JsonException error)
        {
            throw Broken($"'{key}' cannot be read: {error.Message}");
        }
    }

    public bool Has(string name) => stored.ContainsKey(name);

    public Tensor this[string name] =>
        stored.TryGetValue(name, out var tensor) ? tensor.ToTensor() : throw Broken($"holds no tensor '{name}'");

    /// <summary>The stored tensors whose names begin with a prefix, without it, in order.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Under(string prefix) =>
        stored.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(name => (name[prefix.Length..], this[name]));

    UserException Broken(string what) => new($"{path}: the reference case {what}");
}
