using DistillSharp.Interop;
using DistillSharp.Methods;

namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// What to train, from whom, on what and how. Read from YAML and checked as a whole before anything is built: a recipe that
/// exists is one that makes sense.
/// <code>
/// data:    { set: cifar100, root: data, batch: 128, augment: [crop, flip] }
/// teacher: { network: resnet56, weights: teachers/resnet56.pth } # or { torchscript: FILE }, { onnx: FILE, pooled: OUTPUT }, a list
/// of several, average for the student's own average; none for cross-entropy alone
/// student: { network: resnet20 }
/// methods: [ { name: fsecd, policy: instance, temperature: 0.1 } ]
/// ce:      { weight: 1 }
/// train:   { epochs: 240, lr: 0.05, schedule: { steps: [150, 180, 210], factor: 0.1 } }
/// </code>
/// What is left out follows METHOD.md's protocol for CIFAR-100. Relative paths start from the current folder, as on the
/// command line, not from the recipe's: so a run folder's copy of the recipe means the same files.
/// </summary>
public sealed class Recipe
{
    const int LargestFile = 1 << 20;
    const string Minimum = "it needs at least data: { set: cifar100 } and student: { network: resnet20 }";

    static readonly string[] keys = ["data", "teacher", "student", "methods", "ce", "train"];

    readonly string text;
    readonly string source;
    readonly string[] overrides;
    readonly RecipeValues crossEntropy;
    readonly bool crossEntropyGiven;
    readonly YamlValue data, student;
    readonly YamlValue? teacher;

    Recipe(string text, string source, Toolkit toolkit, string[] overrides)
    {
        (this.text, this.source, Toolkit, this.overrides) = (text, source, toolkit, overrides);
        var document = YamlValue.Parse(text, source);
        if (document.Kind != YamlKind.Mapping)
            throw document.Mistake($"a recipe is keys with values, and this is {RecipeSection.Shown(document)}; {Minimum}");
        if (document.Entries.Count == 0 && overrides.Length == 0) throw new UsageException($"{source}: the recipe is empty; {Minimum}");
        foreach (var given in overrides) RecipeOverride.Apply(document, given);
        if (document.Entries.Find(entry => !keys.Contains(entry.Key)) is { Key: { } unknown, Value: var stray })
            throw stray.Mistake($"the recipe has no section '{ShownText.Of(unknown)}'{SectionHint(unknown)}");

        var known = new RecipeKnown(toolkit, Protocol.Cifar, "", 1, []);
        data = Section(document, "data") ?? throw new UsageException($"{source}: the recipe has no data; {Minimum}");
        Data = DataSection.Read(data, known);
        known = known with { Protocol = toolkit.Datasets[Data.Set].Protocol };
        student = Section(document, "student") ?? throw new UsageException($"{source}: the recipe has no student; {Minimum}");
        Student = StudentSection.Read(student, known);
        teacher = Section(document, "teacher");
        var methods = Section(document, "methods");
        var crossEntropy = Section(document, "ce");

        Teacher = teacher is null ? null : TeacherSection.Read(teacher, known, Student.Network);
        Methods = methods is null ? []
            : MethodSection.ReadAll(methods, toolkit.Methods, new(Teacher?.Name ?? "", Student.Network, known.Protocol.IsImageNet));
        var asked = Methods.Select(method => method.CrossEntropyWeight).DefaultIfEmpty(1).Min();
        known = known with { Student = Student.Network, CrossEntropyWeight = asked };
        crossEntropyGiven = crossEntropy?["weight"] is { IsNull: false };
        this.crossEntropy = CrossEntropySection.Keys.Read(CrossEntropySection.Keys.Open(crossEntropy ?? Empty()), known);
        Train = TrainSection.Read(Section(document, "train") ?? Empty(), known);
        SaysSchedule = Section(document, "train")?["schedule"] is { IsNull: false };
        Warnings = known.Warnings;

        if (Teacher is null && Methods.FirstOrDefault(method => method.NeedsTeacher) is { } needy)
            throw methods!.Mistake(
                $"{needy.Name} needs a teacher, and the recipe has none; give teacher: {{ network: NAME, weights: FILE }}");
        if (Teacher is not null && !Methods.Any(method => method.NeedsTeacher))
            throw teacher!.Mistake(
                "the recipe has a teacher, but no method that uses one; add a method or remove the teacher (--set teacher=null)");
        CheckTogether(methods);
        if (CrossEntropyWeight == 0 && Methods.All(method => method.Settings["weight"] == "0"))
            throw crossEntropy!.Mistake("cross-entropy has weight 0, and so has every method there is: nothing is left to learn from");
    }

    /// <summary>What the recipe's names stand for.</summary>
    public Toolkit Toolkit { get; }

    /// <summary>The images.</summary>
    public DataSection Data { get; }

    /// <summary>Whom to learn from; null for cross-entropy alone.</summary>
    public TeacherSection? Teacher { get; }

    /// <summary>The network to train.</summary>
    public StudentSection Student { get; }

    /// <summary>The methods beside cross-entropy; empty for cross-entropy alone.</summary>
    public IReadOnlyList<MethodSection> Methods { get; }

    /// <summary>The names of the methods; <c>ce</c> for cross-entropy alone.</summary>
    internal IEnumerable<string> MethodNames => Methods.Select(method => method.Name).DefaultIfEmpty("ce");

    /// <summary>The factor of cross-entropy in the total loss. Left out, it is the smallest that the methods ask for.</summary>
    public double CrossEntropyWeight => CrossEntropySection.Weight.Of(crossEntropy);

    /// <summary>How the student learns.</summary>
    public TrainSection Train { get; }

    /// <summary>What is allowed but likely not meant, each with its place.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <inheritdoc cref="Load(string, Toolkit, IEnumerable{string})"/>
    public static Recipe Load(string path, params IEnumerable<string> overrides) => Load(path, Toolkit.BuiltIn, overrides);

    /// <summary>Reads a recipe's file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="toolkit">What its names stand for; what comes with the library where it is left out.</param>
    /// <param name="overrides">Values that replace the file's, each as <c>path=value</c>, such as <c>train.epochs=2</c>.</param>
    /// <exception cref="UserException">The file cannot be read, or is no text, or too large for a recipe.</exception>
    /// <exception cref="UsageException">The recipe is wrong; the message names file and line, or the override.</exception>
    public static Recipe Load(string path, Toolkit toolkit, params IEnumerable<string> overrides) =>
        Parse(ReadText(path), path, toolkit, overrides);

    /// <inheritdoc cref="Parse(string, string, Toolkit, IEnumerable{string})"/>
    public static Recipe Parse(string text, string source = "the recipe", params IEnumerable<string> overrides) =>
        Parse(text, source, Toolkit.BuiltIn, overrides);

    /// <summary>Reads a recipe's text.</summary>
    /// <param name="text">The YAML.</param>
    /// <param name="source">What to call it in messages: a file's path.</param>
    /// <param name="toolkit">What its names stand for; what comes with the library where it is left out.</param>
    /// <param name="overrides">Values that replace the text's, each as <c>path=value</c>.</param>
    /// <exception cref="UsageException">The recipe is wrong; the message names source and line, or the override.</exception>
    public static Recipe Parse(string text, string source, Toolkit toolkit, params IEnumerable<string> overrides) =>
        new(text, source, toolkit, [.. overrides]);

    /// <summary>The same recipe with other values. Defaults that depend on them follow.</summary>
    /// <param name="overrides">Each as <c>path=value</c>.</param>
    /// <exception cref="UsageException">The recipe that comes of it is wrong.</exception>
    public Recipe With(params IEnumerable<string> overrides) => new(text, source, Toolkit, [.. this.overrides, .. overrides]);

    /// <summary>
    /// The whole recipe as canonical YAML: every default written out, in one order and one spelling. Equal experiments have
    /// equal texts, and reading the text gives this recipe again.
    /// </summary>
    public string Resolve() => Write(decisive: false);

    /// <summary>
    /// The recipe's identity (<see cref="RecipeDigest"/>): that of its text without the keys that change no result, such as where
    /// the data lie and how many checkpoints are kept.
    /// </summary>
    public string Digest => RecipeDigest.Of(Write(decisive: true));

    /// <summary>The settings that <see cref="Digest"/> is made of, as in <c>--set</c>.</summary>
    internal IReadOnlyDictionary<string, string> DecisiveSettings => RecipeSettings.Of(Write(decisive: true), source);

    /// <summary>Whether the schedule is said, and not the one that follows from the epochs.</summary>
    internal bool SaysSchedule { get; }

    string Write(bool decisive)
    {
        var resolved = new RecipeText();
        Data.Write(resolved, decisive);
        Teacher?.Write(resolved, decisive);
        Student.Write(resolved, decisive);
        if (Methods.Count == 0) resolved.Line("methods: []");
        else resolved.Section("methods");
        foreach (var method in Methods) method.Write(resolved, remarks: !decisive);
        var ofPair = !crossEntropyGiven && Methods.Any(method => method.CrossEntropyOfPair);
        CrossEntropySection.Keys.Write(resolved, crossEntropy, decisive, ofPair && !decisive ? MethodSection.OfPair : null);
        Train.Write(resolved, decisive);
        return resolved.ToString();
    }

    /// <summary>The files of weights that it names, relative to the current folder.</summary>
    internal IEnumerable<string> WeightFiles =>
        (Teacher?.Members ?? []).Select(member => member.File).Concat(Student.Weights is { } own ? [own] : []);

    /// <summary>Makes the methods with their settings.</summary>
    public IReadOnlyList<DistillationMethod> CreateMethods() => [.. Methods.Select(method => method.Create())];

    /// <summary>What the trainer is told.</summary>
    public TrainingOptions ToTrainingOptions()
    {
        var options = new TrainingOptions
        {
            Epochs = Train.Epochs, BatchSize = Data.Batch, Schedule = Train.Schedule, Optimizer = Train.Optimizer,
            Momentum = Train.Momentum, WeightDecay = Train.WeightDecay, DecayNorms = Train.DecayNorms, Nesterov = Train.Nesterov,
            ClipGradients = Train.Clip, LabelSmoothing = Train.LabelSmoothing, AverageDecay = Train.AverageDecay,
            TeacherIsAverage = Teacher is { IsAverage: true }, Accumulate = Train.Accumulate, Precision = Train.Precision,
            Quantization = Quantization(), Seed = Train.Seed, Device = Train.Device, SyncNorm = Train.SyncNorm,
            GatherFeatures = Train.GatherFeatures, Augmentation = new(Data.Augment), TeacherInput = Teacher?.Input,
            CrossEntropyWeight = CrossEntropyWeight, EvaluationBatchSize = Train.EvaluateBatch, EvaluateEvery = Train.EvaluateEvery,
            KeepCheckpoints = Train.KeepCheckpoints,
            CheckpointEvery = Train.CheckpointMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
            TeacherMemory = Train.TeacherMemory, TeacherFolder = Train.TeacherFolder, TeacherFolderBytes = Train.TeacherFolderSize,
            LoaderThreads = Train.LoaderThreads, CudaGraphs = Train.CudaGraphs,
        };
        return Data.SecondView is { } steps ? options with { SecondView = new(steps) } : options;
    }

    QuantizedTraining? Quantization()
    {
        if (Train.Quantize is not { } type) return null;
        var name = type.ToString().ToLowerInvariant();
        return Toolkit.Quantizations.Contains(name) ? Toolkit.Quantizations[name](Train.QuantizeEpochs) : throw new UsageException(
            $"train.quantize is {name}, which this program does not know: it needs the package DistillSharp.Onnx and "
            + "Int8Training.Register(toolkit)");
    }

    /// <summary>Reads the data set, normalized and limited as the recipe says. A limit takes the same images whatever the seed.</summary>
    /// <param name="progress">Hears how far the files have been looked at, where that takes long.</param>
    /// <exception cref="UserException">Its files are missing or damaged, or the normalization has other channels.</exception>
    public Dataset LoadData(IProgress<WorkProgress>? progress = null)
    {
        CheckRoot();
        var data = Toolkit.Datasets[Data.Set].Load(Data.Root, Data.ReadOptions() with { Progress = progress });
        data = data with { Mean = Data.Mean, Std = Data.Std };
        try { _ = data.Normalization; }
        catch (UsageException e) { throw this.data.Mistake(e.Message, e); }
        return data.Limit(Data.TrainLimit, Data.TestLimit);
    }

    /// <summary>Checks that the files it names are there, which <see cref="Load(string, IEnumerable{string})"/> does not.</summary>
    /// <exception cref="UserException">One is missing; the message names it and the recipe's line.</exception>
    public void CheckFiles()
    {
        Devices.Require(Train.Device);
        CheckRoot();
        IEnumerable<YamlValue> entries = teacher is null ? [] : teacher.Kind == YamlKind.Sequence ? teacher.Items : [teacher];
        foreach (var (member, entry) in (Teacher?.Members ?? []).Zip(entries))
        {
            var place = (entry["weights"] ?? entry["torchscript"] ?? entry["onnx"] ?? entry).Place;
            if (!File.Exists(Weights.Split(member.File).File)) throw Missing(place, "file", member.File, "the teacher's");
            if (member.Prepare is { } prepare && !File.Exists(prepare)) throw Missing(place, "file", prepare, "teacher.prepare");
        }
        if (Student.Weights is { } weights && !File.Exists(Weights.Split(weights).File))
            throw Missing((student["weights"] ?? student).Place, "file", weights, "student.weights");
    }

    // What is each right by itself, and wrong together.
    void CheckTogether(YamlValue? methods)
    {
        if (Teacher is { IsAverage: true } && Train.AverageDecay is null)
            throw teacher!.Mistake(
                "the teacher is the moving average of the student, which train.ema keeps; give its decay, such as train.ema: 0.999");
        if (Teacher is { Members.Count: > 1 } && Methods.FirstOrDefault(method => method.NeedsTeacherFeatures) is { } featured)
            throw methods!.Mistake($"{featured.Name} needs features of the teacher, and several teachers are averaged by their logits "
                + "alone; take a method on logits, such as kd or dist, or one teacher");
        if (Data.Augment.OfType<MixingStep>().FirstOrDefault() is { } mixing
            && Methods.FirstOrDefault(method => method.NeedsOneLabel) is { } single)
            throw methods!.Mistake(
                $"{single.Name} needs one label for each image, and data.augment's {mixing.Name} mixes two; leave one of them out");
        if (Methods.FirstOrDefault(method => method.NeedsSecondView) is { } looker)
        {
            if (Data.Augment.Concat(Data.SecondView ?? []).OfType<MixingStep>().FirstOrDefault() is { } mixed)
                throw methods!.Mistake($"{looker.Name} compares two views of an image, and {mixed.Name} mixes two "
                    + "images; leave one of them out");
        }
        else if (Data.SecondView is not null)
            throw new UsageException($"{data["second_view"]!.Place}: data.second_view is for a method that looks at two views of an "
                + "image, and there is none; leave it out");
        if (Data.Batch % Train.Accumulate != 0)
            throw data.Mistake($"a data.batch of {Data.Batch} images cannot be computed in {Train.Accumulate} equal parts "
                + "(train.accumulate); change one of the two");
    }

    /// <summary>
    /// Loads the teacher, and the student's weights where there are any, to see whether they fit; no images are read. Where the number
    /// of classes is not known without them, nothing is loaded.
    /// </summary>
    /// <param name="said">Is told what was found in the files beside what was taken.</param>
    /// <exception cref="UserException">A file is damaged or does not fit its network.</exception>
    public void CheckWeights(Action<string>? said = null)
    {
        if (Toolkit.Datasets[Data.Set].ClassesIn(Data.Root) is not { } classes) return;
        Teacher?.Load(Data.Set, classes, Teacher.Input?.Size ?? Data.Size, new(Data.Mean, Data.Std), Toolkit, said).Dispose();
        if (Student.Weights is not null) Student.Create(classes, Toolkit, said).Dispose();
    }

    void CheckRoot()
    {
        if (!Toolkit.Datasets[Data.Set].Exists(Data.Root)) throw Missing((data["root"] ?? data).Place, "folder", Data.Root, "data.root");
    }

    static UserException Missing(YamlPlace place, string kind, string path, string what) =>
        new($"{place}: " + (kind == "file" && Directory.Exists(path)
            ? $"'{ShownText.Of(path)}' is a folder, and a file is needed ({what})"
                + (Path.Combine(path, StudentFile.FileName) is var student && File.Exists(student)
                    ? $"; what a run trained is '{ShownText.Of(student)}'" : "")
            : $"there is no {kind} '{ShownText.Of(path)}' ({what}); relative paths start from the current folder, "
                + $"{Environment.CurrentDirectory}"));

    static YamlValue? Section(YamlValue document, string key) => document[key] is { IsNull: false } section ? section : null;

    YamlValue Empty() => new(YamlKind.Mapping, "", new(source, 0));

    static string SectionHint(string unknown) =>
        new[] { DataSection.Keys, TrainSection.Keys }.FirstOrDefault(section => section.Names.Contains(unknown)) is { } own
            ? $"; did you mean '{own.Section}.{unknown}'?" : RecipeSection.HintOrList(unknown, keys);

    static string ReadText(string path)
    {
        if (Directory.Exists(path)) throw new UserException($"the recipe '{path}' is a folder; give a YAML file");
        try
        {
            using var file = File.OpenRead(path);
            var content = new byte[LargestFile + 1];
            var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            if (length > LargestFile) throw new UserException($"{path}: larger than 1 MB, and so no recipe");
            var start = content.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content, start, length - start);
        }
        catch (DecoderFallbackException e) { throw new UserException($"{path}: not a text in UTF-8, and so no recipe", e); }
        catch (Exception e) when (FileTrouble.Is(e) || e is ArgumentException or NotSupportedException)
        {
            throw FileTrouble.Report($"cannot read the recipe '{path}'", e);
        }
    }
}
