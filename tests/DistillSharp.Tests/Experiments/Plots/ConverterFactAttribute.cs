using DistillSharp.Experiments.Plots;

namespace DistillSharp.Tests.Experiments.Plots;

/// <summary>A fact that runs only where the command that makes PNG is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ConverterFactAttribute : FactAttribute
{
    public ConverterFactAttribute()
    {
        var there = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, Figure.Converter)));
        if (!there) Skip = $"{Figure.Converter} is not installed (Debian: librsvg2-bin)";
    }
}
