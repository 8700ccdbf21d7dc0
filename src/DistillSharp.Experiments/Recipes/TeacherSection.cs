namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// The section <c>teacher</c>: who is followed. One teacher; or a list of several, whose logits are averaged by their weights; or
/// <c>average</c>, the moving average of the student itself.
/// <code>
/// teacher: { network: resnet56, weights: teachers/resnet56.pth }
/// teacher: [ { network: resnet56, weights: a.pth, weight: 2 }, { network: wrn_40_2, weights: b.pth, mean: [0.5, 0.5, 0.5] } ]
/// teacher: average
/// </code>
/// </summary>
public sealed record TeacherSection
{
    /// <summary>How the section says that the student's average is the teacher, and what that teacher is called.</summary>
    internal const string Average = "average";

    const string Must = "keys with values, such as { network: NAME, weights: FILE }, a list of them, or the word average";

    readonly string student;

    TeacherSection(IReadOnlyList<TeacherEntry> members, string student) => (Members, this.student) = (members, student);

    /// <summary>The teachers; none where the student's average is.</summary>
    public IReadOnlyList<TeacherEntry> Members { get; }

    /// <summary>Whether the teacher is the moving average of the student: self-distillation.</summary>
    public bool IsAverage => Members.Count == 0;

    /// <summary>What to call it: a network or file, several as <c>resnet56+wrn_40_2</c>, or <c>average</c>.</summary>
    public string Name => IsAverage ? Average : string.Join('+', Members.Select(member => member.Name));

    /// <summary>
    /// What it takes otherwise than the student: normalization and size of its own; null for the same images. Several take images of one
    /// size, and what else each takes is made of these.
    /// </summary>
    public TeacherInput? Input => Members switch
    {
        [var one] => one.Input,
        [{ Input.Size: { } size }, ..] => new() { Size = size },
        _ => null,
    };

    /// <summary>The data set as the teacher is to see it.</summary>
    internal Dataset Shown(Dataset data) => Input?.Of(data) ?? data;

    /// <summary>Loads the teacher with its weights, for the classes of a data set.</summary>
    /// <param name="data">The data set, as the student sees it.</param>
    /// <param name="toolkit">The networks and kinds of teachers that there are.</param>
    /// <param name="said">Is told what was found in the files beside what was taken.</param>
    /// <returns>The network; of several an <see cref="Ensemble"/>; for the student's average a fresh network of the student's form, which
    /// the trainer fills.</returns>
    /// <exception cref="UserException">A file is missing or damaged, or does not fit.</exception>
    public Classifier Load(Dataset data, Toolkit toolkit, Action<string>? said = null) => Load(
        data.Name, data.Classes, Input?.Size is { } own ? new(own, own) : new(data.Train.Height, data.Train.Width), data.Normalization,
        toolkit, said);

    /// <summary>The same where the data are not read: for images of the teacher's size, normalized as the student's.</summary>
    internal Classifier Load(string set, int classes, Size2 image, Normalization normalization, Toolkit toolkit, Action<string>? said)
    {
        if (IsAverage) return toolkit.Networks.Create(student, classes);
        if (Members is [var one]) return one.Load(set, classes, image, toolkit, said);
        var loaded = new List<(Classifier Network, double Share)>();
        try
        {
            foreach (var member in Members)
            {
                loaded.Add((member.Load(set, classes, image, toolkit, said), member.Weight));
                loaded[^1] = (Seen(loaded[^1].Network, member, normalization), member.Weight);
            }
            return new Ensemble(loaded);
        }
        catch
        {
            foreach (var (network, _) in loaded) network.Dispose();
            throw;
        }
    }

    // Images are normalized once for all; a teacher of other values has them changed.
    static Classifier Seen(Classifier network, TeacherEntry member, Normalization normalization)
    {
        if (!network.ShowsLogits)
            throw new UserException($"{member.File}: several teachers are averaged by their logits, and {member.Name} shows pooled "
                + "features alone");
        if (member.Input is not { } input || (input.Mean is null && input.Std is null)) return network;
        float[] mean = [.. normalization.Mean], std = [.. normalization.Std];
        return new Renormalized(network, mean, std, input.Mean ?? mean, input.Std ?? std);
    }

    internal static TeacherSection Read(YamlValue value, RecipeKnown known, string student)
    {
        const string path = "teacher";
        switch (value.Kind)
        {
            case YamlKind.Scalar when value.Text == Average:
                return new([], student);
            case YamlKind.Scalar:
                throw value.Mistake($"{path} is {RecipeSection.Shown(value)}; it must be {Must}");
            case YamlKind.Mapping:
                return new([TeacherEntry.Read(value, path, known)], student);
        }
        known = known with { IsOneOfSeveral = value.Items.Count > 1 };
        List<TeacherEntry> members = [.. value.Items.Select((item, i) => TeacherEntry.Read(item, $"{path}[{i}]", known))];
        if (members.Count == 0) throw value.Mistake($"{path} is an empty list; it must be {Must}");
        if (members.Select(member => member.Input?.Size).Distinct().Count() > 1)
            throw value.Mistake("the teachers take images of different sizes ("
                + $"{string.Join(", ", members.Select(member => $"{member.Name} {member.Input?.Size?.ToString() ?? "the student's"}"))}); "
                + "several see images of one size: give all the same");
        return new(members, student);
    }

    /// <summary>Whether the same are followed in the same way.</summary>
    public bool Equals(TeacherSection? other) =>
        other is not null && (!IsAverage || student == other.student) && Members.SequenceEqual(other.Members);

    public override int GetHashCode() => Members.Aggregate(0, HashCode.Combine);

    internal void Write(RecipeText text, bool decisive)
    {
        if (IsAverage) text.Line($"teacher: {Average}");
        if (Members.Count > 1) text.Section("teacher");
        foreach (var member in Members) member.Write(text, decisive);
    }
}
