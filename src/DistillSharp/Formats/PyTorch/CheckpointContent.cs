using DistillSharp.Formats.Files;
using DistillSharp.Formats.Pickle;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.PyTorch;

/// <summary>
/// Finds the tensors in the objects of a checkpoint: every dict of names and tensors, at any depth, and the tensors of whole
/// modules by the names that their state dict would have.
/// </summary>
/// <param name="Groups">Each dict that holds tensors under texts, in the file's order.</param>
/// <param name="Foreign">Objects that are not known: where they lie, and their names.</param>
/// <param name="Keys">The keys of the outermost dict, for messages.</param>
/// <param name="Trouble">Why something known could not be understood; null where all could.</param>
internal sealed record CheckpointContent(
    IReadOnlyList<TensorGroup> Groups, IReadOnlyList<string> Foreign, IReadOnlyList<string> Keys, string? Trouble)
{
    const int Deepest = 32, MaxForeign = 100, MaxKey = 400;

    /// <summary>What a pickle without PyTorch's archive holds: numpy's arrays in a dict, as conversion scripts leave them.</summary>
    public static CheckpointContent OfPickle(Stream stream, string file)
    {
        var budget = new AllocationBudget(file, stream.Length);
        var input = new PickleInput(stream, stream.Length, file, budget);
        return Of(new PickleReader(input, TorchGlobals.List, budget, TorchGlobals.Storage).Read(), storages: null, budget, file);
    }

    /// <summary>What the objects hold. Tensors are read from the storages when needed; numpy's arrays hold their own elements.</summary>
    public static CheckpointContent Of(object? root, TorchStorages? storages, AllocationBudget budget, string file)
    {
        var search = new Search(storages, budget, file);
        search.Visit(root, "", 0);
        return new(search.Groups, search.Foreign, root is PickleDict dict ? [.. dict.TextKeys.Take(20)] : [], search.Trouble);
    }

    sealed class Search(TorchStorages? storages, AllocationBudget budget, string file)
    {
        readonly HashSet<object> seen = new(ReferenceEqualityComparer.Instance);

        public List<TensorGroup> Groups { get; } = [];

        public List<string> Foreign { get; } = [];

        public string? Trouble { get; private set; }

        public void Visit(object? value, string path, int depth)
        {
            if (value is not (PickleDict or List<object?> or object?[] or PickledInstance) || depth == Deepest || !seen.Add(value)) return;
            budget.Charge(64);
            switch (value)
            {
                case PickleDict dict: VisitDict(dict, path, depth); break;
                case IReadOnlyList<object?> items: VisitItems(items, path, depth); break;
                case PickledInstance instance: VisitInstance(instance, path, depth); break;
            }
        }

        void VisitDict(PickleDict dict, string path, int depth)
        {
            var tensors = new List<TensorEntry>();
            foreach (var (key, value) in dict)
                if (key is string name && Entry(name, value) is { } entry) tensors.Add(entry);
            if (tensors.Count > 0) Groups.Add(new(path, tensors));
            foreach (var (key, value) in dict)
                if (value is not null && (key as string ?? (key as long?)?.ToString(CultureInfo.InvariantCulture)) is { } name)
                    Visit(value, Below(path, name), depth + 1);
        }

        void VisitItems(IReadOnlyList<object?> items, string path, int depth)
        {
            for (var i = 0; i < items.Count; i++)
                if (items[i] is not (null or long or double or string or bool))
                    Visit(items[i], Below(path, i.ToString(CultureInfo.InvariantCulture)), depth + 1);
        }

        void VisitInstance(PickledInstance instance, string path, int depth)
        {
            Trouble ??= instance.Trouble;
            if (Foreign.Count < MaxForeign)
            {
                budget.Charge(200);
                Foreign.Add(path.Length > 0 ? $"{ShownText.Of(path)}: {instance}" : $"{instance}");
            }
            if (IsModule(instance))
            {
                var tensors = new List<TensorEntry>();
                AddModule(instance, "", tensors, depth);
                if (tensors.Count > 0) Groups.Add(new(path, tensors));
                return;
            }
            if (instance.HasEntries) Visit(instance.Entries, path, depth + 1);
            if (instance.HasItems) Visit(instance.Items, path, depth + 1);
            Visit(instance.Attributes, path, depth + 1);
            foreach (var argument in instance.Arguments) Visit(argument, path, depth + 1);
        }

        static bool IsModule(PickledInstance instance) =>
            instance.Attributes.TryGet<PickleDict>("_parameters", out _) && instance.Attributes.TryGet<PickleDict>("_modules", out _);

        /// <summary>What state_dict() of a module gives: its parameters, its buffers but for the passing ones, its modules.</summary>
        void AddModule(PickledInstance module, string prefix, List<TensorEntry> tensors, int depth)
        {
            budget.Charge(64);
            seen.Add(module);
            module.Attributes.TryGet<List<object?>>("_non_persistent_buffers_set", out var passing);
            foreach (var kind in (string[])["_parameters", "_buffers"])
                if (module.Attributes.TryGet<PickleDict>(kind, out var own))
                    foreach (var (key, value) in own)
                        if (key is string name && passing?.Contains(name) is not true && Entry(Below(prefix, name), value) is { } entry)
                            tensors.Add(entry);
            if (!module.Attributes.TryGet<PickleDict>("_modules", out var inner) || depth >= Deepest) return;
            foreach (var (key, value) in inner)
                if (key is string name && value is PickledInstance child && !seen.Contains(child))
                    AddModule(child, Below(prefix, name), tensors, depth + 1);
        }

        /// <summary>A value as a named tensor, where it is one.</summary>
        TensorEntry? Entry(string name, object? value)
        {
            if (value is not (
                TorchTensor or TorchForeignTensor or PickledArray { Type: not null } or PickledInstance { Trouble: not null })) return null;
            budget.Charge(TensorEntry.Size);
            return value switch
            {
                TorchTensor tensor when storages is not null =>
                    new(name, tensor.Type.Name, tensor.Shape, () => storages.Read(name, tensor)),
                PickledArray { Type.Element: { } type } array =>
                    new(name, array.Type.Code, array.Shape, () => array.ToStored(name, type, budget)),
                PickledArray => null,
                TorchForeignTensor foreign =>
                    new(name, foreign.Kind, [], () => throw Fail(name, $"is {foreign.Kind}, which is not supported")),
                // Something of PyTorch's or numpy's that could not be understood: an error only where it is needed.
                PickledInstance broken when broken.Name.StartsWith("torch.", StringComparison.Ordinal)
                    || broken.Name.StartsWith("numpy.", StringComparison.Ordinal) =>
                    new(name, broken.ToString(), [], () => throw new UserException(broken.Trouble!)),
                _ => null,
            };
        }

        string Below(string path, string name)
        {
            budget.Charge(32 + 2L * (path.Length + name.Length));
            var joined = path.Length == 0 ? name : $"{path}.{name}";
            return joined.Length <= MaxKey ? joined : joined[..MaxKey];
        }

        UserException Fail(string tensor, string what) => new($"{file}: the tensor '{ShownText.Of(tensor)}' {what}.");
    }
}
