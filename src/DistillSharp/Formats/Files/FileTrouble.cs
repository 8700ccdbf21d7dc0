namespace DistillSharp.Formats.Files;

/// <summary>The file system's exceptions, told as the user's own errors.</summary>
internal static class FileTrouble
{
    const int NoSpaceLeft = 28;

    /// <summary>Whether an exception is the file system's. .NET reports a file beyond the size limit as an argument out of range.</summary>
    public static bool Is(Exception e) =>
        e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" };

    /// <summary>Does something with files; where the file system fails, the user is told what could not be done.</summary>
    /// <param name="what">What could not be done, with the path: <c>cannot write a/b</c>.</param>
    /// <param name="act">Does it.</param>
    /// <exception cref="UserException">The file system failed.</exception>
    public static T Told<T>(string what, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception e) when (Is(e))
        {
            throw Report(what, e);
        }
    }

    /// <summary>An exception for the user out of one of the file system's.</summary>
    public static UserException Report(string what, Exception cause) => new($"{what}: {Reason(cause)}", cause);

    /// <summary>Why the file system refused, in a few words: <c>the file does not exist</c>.</summary>
    public static string Reason(Exception cause) => cause switch
    {
        UnauthorizedAccessException => "permission denied",
        DirectoryNotFoundException => "the folder does not exist",
        FileNotFoundException => "the file does not exist",
        EndOfStreamException => "the file ended early; something else has cut it short",
        ArgumentOutOfRangeException => "the file would exceed the size limit",
        _ when cause.HResult == NoSpaceLeft => "the disk is full",
        _ => cause.Message.TrimEnd('.'),
    };
}
