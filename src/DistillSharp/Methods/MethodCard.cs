using System.Reflection;
using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>Says of a method what a list of methods shows.</summary>
/// <param name="formula">The loss, unweighted, in a line.</param>
/// <param name="source">Who published it, where.</param>
/// <param name="defaults">Where the default settings come from.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class MethodAttribute(string formula, string source, string defaults) : Attribute
{
    /// <summary>The loss, unweighted, in a line.</summary>
    public string Formula { get; } = formula;

    /// <summary>Who published it, where.</summary>
    public string Source { get; } = source;

    /// <summary>Where the default settings come from.</summary>
    public string Defaults { get; } = defaults;
}

/// <summary>What there is to say of a method before it meets a pair.</summary>
/// <param name="Name">Its name in recipes.</param>
/// <param name="Formula">The loss, unweighted; empty where its author said nothing.</param>
/// <param name="Source">Who published it, where; empty likewise.</param>
/// <param name="Student">What it needs of the student.</param>
/// <param name="Teacher">What it needs of the teacher.</param>
/// <param name="Defaults">Its default settings, and where they come from.</param>
public sealed record MethodCard(string Name, string Formula, string Source, string Student, string Teacher, string Defaults)
{
    /// <summary>The card of a method that is not bound yet.</summary>
    public static MethodCard Of(DistillationMethod method)
    {
        var about = method.GetType().GetCustomAttribute<MethodAttribute>();
        var settings = Setting.Of(method, method.Name)
            .Where(setting => setting.Name != "weight" && setting.Read(method) is not null)
            .Select(setting => $"{setting.Name} {setting.Read(method)}");
        var weight = method.WeightsDependOnPair
            ? "weight by the pair"
            : string.Create(CultureInfo.InvariantCulture, $"weight {method.Weight}");
        var values = string.Join(", ", settings.Prepend(weight));
        return new(
            method.Name, about?.Formula ?? "", about?.Source ?? "",
            Needs(method.StudentFeatures, logits: true) + (method.NeedsSecondView ? " of two views" : ""),
            method.TeacherFeatures is { } features ? Needs(features, method.UsesTeacherLogits) : "nothing",
            about is null ? values : $"{values}: {about.Defaults}");
    }

    /// <summary>The cards as a table in Markdown.</summary>
    public static string Markdown(IEnumerable<MethodCard> cards)
    {
        var text = new StringBuilder("| method | loss | source | of the student | of the teacher | defaults |\n");
        text.Append("|---|---|---|---|---|---|\n");
        foreach (var card in cards)
        {
            string[] cells = [$"`{card.Name}`", $"`{card.Formula}`", card.Source, card.Student, card.Teacher, card.Defaults];
            text.Append("| ").AppendJoin(" | ", cells.Select(cell => cell.Replace("|", "\\|"))).Append(" |\n");
        }
        return text.ToString();
    }

    // The student's logits come anyway, for cross-entropy; they are named where nothing else is.
    static string Needs(Features features, bool logits)
    {
        var parts = new List<string>();
        if (features.HasFlag(Features.Pooled)) parts.Add("pooled");
        if (features.HasFlag(Features.Stages)) parts.Add("stages");
        if (features.HasFlag(Features.PreActivations)) parts.Add("pre-activations");
        if (parts.Count == 0 && logits) parts.Add("logits");
        return string.Join(", ", parts);
    }
}
