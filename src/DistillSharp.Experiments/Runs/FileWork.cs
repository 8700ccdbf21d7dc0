namespace DistillSharp.Experiments.Runs;

/// <summary>Work on files whose trouble is told as the user's own errors.</summary>
static class FileWork
{
    /// <summary>Does it.</summary>
    /// <param name="what">What cannot be done where the file system refuses, with the path: <c>cannot write a/b</c>.</param>
    /// <param name="work">The work.</param>
    /// <exception cref="UserException">The file system refused.</exception>
    public static T Do<T>(string what, Func<T> work)
    {
        try { return work(); }
        catch (Exception e) when (FileTrouble.Is(e)) { throw FileTrouble.Report(what, e); }
    }

    /// <summary>Creates a folder where it is absent.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="what">What to call it in messages, before its path.</param>
    /// <exception cref="UserException">The file system refused.</exception>
    public static void CreateFolder(string folder, string what = "") =>
        Do($"cannot create {what}{folder}", () => Directory.CreateDirectory(folder));
}
