namespace DistillSharp.Models;

/// <summary>A teacher in a file of another program, and what of it is used.</summary>
/// <param name="Path">The file.</param>
/// <param name="Classes">How many classes the data has.</param>
/// <param name="Image">Height and width of the images that it will be given, where it takes any.</param>
public sealed record TeacherFile(string Path, int Classes, Size2 Image)
{
    /// <summary>The output that is the logits; null for none named.</summary>
    public string? Logits { get; init; }

    /// <summary>The output that is the pooled features; null for none named.</summary>
    public string? Pooled { get; init; }

    /// <summary>A file that prepares the images for it; null for none.</summary>
    public string? Prepare { get; init; }
}

/// <summary>Loads a teacher of one kind.</summary>
/// <param name="file">The file and what of it is used.</param>
/// <param name="said">Is told what is worth knowing, a line each.</param>
/// <exception cref="UserException">The file cannot be used as a teacher.</exception>
public delegate Classifier TeacherReader(TeacherFile file, Action<string> said);
