namespace DistillSharp.Tests;

/// <summary>
/// The material that lies beside the project (real data, reference cases). Tests that need it are skipped where it is absent.
/// </summary>
public static class SharedFiles
{
    public static string? Root { get; } = Find();

    public static string Path(string relative) => System.IO.Path.Combine(Root!, relative);

    static string? Find()
    {
        if (Environment.GetEnvironmentVariable("DISTILLSHARP_SHARED") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = System.IO.Path.Combine(folder.FullName, "shared");
            if (File.Exists(System.IO.Path.Combine(candidate, "DESIGN.md"))) return candidate;
        }
        return null;
    }
}

/// <summary>A fact that runs only where the shared material lies beside the project.</summary>
[AttributeUsage(AttributeTargets.Method)]
public class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute()
    {
        if (SharedFiles.Root is null) Skip = "the shared material does not lie beside the project (set DISTILLSHARP_SHARED)";
    }
}

/// <summary>A theory that runs only where the shared material lies beside the project.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute()
    {
        if (SharedFiles.Root is null) Skip = "the shared material does not lie beside the project (set DISTILLSHARP_SHARED)";
    }
}
