namespace DistillSharp.Experiments.Recipes;

/// <summary>One teacher of the section <c>teacher</c>: a network of this library with its weights, or a TorchScript or ONNX file.</summary>
public sealed record TeacherEntry
{
    internal static RecipeKeys Keys { get; } = new("teacher");

    static readonly RecipeKey<string?> network = Keys.Add("network", RecipeForms.Name(toolkit => toolkit.Networks),
        "a network (`distill models`)", otherwise: null, "no teacher", written: IsOwn);
    static readonly RecipeKey<string?> weights = Keys.Add("weights", RecipeForms.Text("a file"),
        "the file of its weights", otherwise: null, written: IsOwn);
    static readonly RecipeKey<string?> torchscript = Keys.Add("torchscript", RecipeForms.Text("a file"),
        "a TorchScript file, instead of the two", otherwise: null, quiet: true);
    static readonly RecipeKey<string?> onnx = Keys.Add("onnx",
        RecipeForms.Text("a file"), "an ONNX file, instead of the two ([pretrained.md](pretrained.md))", otherwise: null, quiet: true);
    static readonly RecipeKey<string?> logits =
        Keys.Add("logits", RecipeForms.Text("the name of an output"), "the output of the ONNX file that is the logits",
        otherwise: null, "where `pooled` is not given either: the one output of so many classes", quiet: true);
    static readonly RecipeKey<string?> pooled = Keys.Add("pooled", RecipeForms.Text("the name of an output"),
        "the output of the ONNX file that is the features before the classifier", otherwise: null, quiet: true);
    static readonly RecipeKey<string?> prepare = Keys.Add("prepare", RecipeForms.Text("a file"),
        "an ONNX file that prepares the images for the other", otherwise: null, quiet: true);
    static readonly RecipeKey<IReadOnlyList<float>?> mean = Keys.Add("mean", RecipeForms.Mean.OrAbsent(),
        "the mean of each channel that the teacher was trained with", otherwise: null, "`data.mean`", quiet: true);
    static readonly RecipeKey<IReadOnlyList<float>?> std = Keys.Add("std", RecipeForms.Deviation.OrAbsent(),
        "the standard deviation of each channel", otherwise: null, "`data.std`", quiet: true);
    static readonly RecipeKey<int?> size = Keys.Add("size", RecipeForms.Size.OrNone(),
        "height and width of the teacher's images, which are made from the student's crops", otherwise: null, "the student's", quiet: true);
    static readonly RecipeKey<double> weight = Keys.Add("weight", RecipeForms.Positive,
        "of [several teachers](#several-teachers): how much this one counts beside the others", otherwise: 1,
        written: known => known.IsOneOfSeveral);

    readonly RecipeValues values;

    TeacherEntry(RecipeValues values) => this.values = values;

    static bool IsOwn(RecipeKnown known) => torchscript!.Of(known.Values) is null && onnx!.Of(known.Values) is null;

    /// <summary>The network, one of <see cref="Toolkit.Networks"/>; null for another program's file.</summary>
    public string? Network => network.Of(values);

    /// <summary>The file of its weights, relative to the current folder; null for another program's file.</summary>
    public string? Weights => weights.Of(values);

    /// <summary>A TorchScript file, relative to the current folder; null for a network of this library.</summary>
    public string? TorchScript => torchscript.Of(values);

    /// <summary>An ONNX file, relative to the current folder; null for a network of this library.</summary>
    public string? Onnx => onnx.Of(values);

    /// <summary>The output of the ONNX file that is the logits, where it is named.</summary>
    public string? Logits => logits.Of(values);

    /// <summary>The output of the ONNX file that is the pooled features, where it is named.</summary>
    public string? Pooled => pooled.Of(values);

    /// <summary>An ONNX file that prepares the images for the other, where there is one.</summary>
    public string? Prepare => prepare.Of(values);

    /// <summary>What it takes otherwise than the student: normalization and size of its own; null for the same images.</summary>
    public TeacherInput? Input => mean.Of(values) is null && std.Of(values) is null && size.Of(values) is null ? null
        : new() { Mean = mean.Of(values), Std = std.Of(values), Size = size.Of(values) };

    /// <summary>How much it counts beside others; 1 where it is alone.</summary>
    public double Weight => weight.Of(values);

    /// <summary>What to call the teacher: its network, or another program's file's name without its ending.</summary>
    public string Name => Network ?? Path.GetFileNameWithoutExtension(File);

    /// <summary>The file that the teacher comes from.</summary>
    public string File => Weights ?? TorchScript ?? Onnx!;

    /// <summary>Loads the teacher with its weights.</summary>
    /// <exception cref="UserException">Its file is missing or damaged, or does not fit.</exception>
    internal Classifier Load(string set, int classes, Size2 image, Toolkit toolkit, Action<string>? said)
    {
        if (TorchScript is { } file)
            return TorchScriptNetwork.Load(file, image).OrDispose(network => network.Classes == classes ? network
                : throw new UserException($"{file}: the network knows {network.Classes} classes, but {set} has {classes}"));
        if (Onnx is { } graph)
        {
            if (!toolkit.Teachers.Contains("onnx"))
                throw new UsageException($"{graph}: this program reads no ONNX teachers: it needs the package DistillSharp.Onnx and "
                    + "OnnxTeacher.Register(toolkit)");
            var given = new TeacherFile(graph, classes, image) { Logits = Logits, Pooled = Pooled, Prepare = Prepare };
            return toolkit.Teachers["onnx"](given, line => said?.Invoke($"teacher, {line}"));
        }
        return Create("teacher", Network!, Weights, classes, toolkit, said);
    }

    // A teacher or a student: a network of this library, with its weights where there are any.
    internal static Classifier Create(
        string role, string name, string? weights, int classes, Toolkit toolkit, Action<string>? said, ulong? seed = null)
    {
        var created = toolkit.Networks.Create(name, classes, seed);
        return weights is null ? created : created.OrDispose(network =>
        {
            network.LoadWeights(weights, out var report);
            foreach (var line in report.Lines) said?.Invoke($"{role}, {weights}: {line}");
            return network;
        });
    }

    internal static TeacherEntry Read(YamlValue value, string path, RecipeKnown known)
    {
        var section = Keys.Open(value, path);
        if (section[weight.Name] is { } given && section[weights.Name] is null && !RecipeSection.IsNumber(given, out _))
            throw section.Mistake(weight.Name,
                $"{path}.weight is {RecipeSection.Shown(given)}; it must be {weight.Allowed}; did you mean 'weights'?");
        var teacher = new TeacherEntry(Keys.Read(section, known));
        return teacher switch
        {
            _ when section[weight.Name] is not null && !known.IsOneOfSeveral => throw section.Mistake(weight.Name,
                $"{path}.weight says how much one of several teachers counts, and there is one; give a list of teachers, or leave it out"),
            { TorchScript: not null, Network: not null } =>
                throw section.Mistake("torchscript", "the teacher has both a network and a torchscript file; give one of them"),
            { TorchScript: not null, Weights: not null } => throw section.Mistake(
                "weights", "the teacher has both weights and a torchscript file, which holds its own; remove one of them"),
            { Onnx: not null } when teacher.Network is not null || teacher.Weights is not null || teacher.TorchScript is not null =>
                throw section.Mistake("onnx", "the teacher has an onnx file and another network; give one of them"),
            { Onnx: null, Logits: not null } or { Onnx: null, Pooled: not null } or { Onnx: null, Prepare: not null } =>
                throw section.Mistake(teacher.Logits is not null ? "logits" : teacher.Pooled is not null ? "pooled" : "prepare",
                    "logits, pooled and prepare belong to an ONNX file; give teacher.onnx"),
            { TorchScript: null, Onnx: null, Network: null } =>
                throw section.Mistake("network", "the teacher has no network; give teacher: { network: NAME, weights: FILE } or { "
                    + "torchscript: FILE } or { onnx: FILE }"),
            { Network: not null, Weights: null } => throw section.Mistake(
                "weights", "the teacher has no weights, and an untrained network teaches nothing; give teacher.weights a file"),
            _ => teacher,
        };
    }

    internal void Write(RecipeText text, bool decisive)
    {
        if (values.IsShown(weight.Name)) text.Item();
        else text.Section(Keys.Section);
        Keys.WriteEntries(text, values, decisive);
    }
}
