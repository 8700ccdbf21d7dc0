namespace DistillSharp.Data;

/// <summary>An image of a set that cannot be read: damaged, cut short, or its file is gone.</summary>
/// <param name="file">Its name.</param>
/// <param name="why">A sentence without its subject.</param>
/// <param name="cause">What led to it.</param>
public sealed class DamagedImageException(string file, string why, Exception? cause = null) : UserException($"'{file}' {why}", cause)
{
    /// <summary>The name of the image's file.</summary>
    public string File { get; } = file;

    /// <summary>What is wrong with it, a sentence without its subject.</summary>
    public string Why { get; } = why;
}
