namespace DistillSharp.Tests;

/// <summary>A fact that takes a minute or more of a quiet machine: it runs where DISTILLSHARP_LONG is set to 1.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongFactAttribute : FactAttribute
{
    public LongFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("DISTILLSHARP_LONG") != "1") Skip = "a long test: set DISTILLSHARP_LONG=1 to run it";
    }
}
