using DistillSharp.Formats.Files;

namespace DistillSharp.Data;

/// <summary>The names of a set's classes, and in which order they are.</summary>
public static class ClassNames
{
    const long MaxBytes = 1 << 24;
    const int MaxNamed = 10;

    /// <summary>Reads a file with a name in each line. Empty lines are passed over.</summary>
    /// <exception cref="UserException">It cannot be read, holds no name, or one twice.</exception>
    public static IReadOnlyList<string> Read(string file) => FileTrouble.Told($"cannot read the list of classes '{file}'", () =>
    {
        if (new FileInfo(file) is { Exists: true, Length: > MaxBytes })
            throw new UserException($"'{file}' is too large for a list of classes");
        string[] names = [.. File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0)];
        if (names.Length == 0) throw new UserException($"'{file}' names no class; it should hold the name of one in each line");
        return names.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { Key: var twice }
            ? throw new UserException($"'{file}' names the class '{twice}' twice") : names;
    });

    /// <summary>The order of the classes that were found.</summary>
    /// <param name="found">Their names, sorted by bytes.</param>
    /// <param name="order">The same names in another order; null for as they are sorted.</param>
    /// <param name="where">Where they were found, for messages.</param>
    /// <exception cref="UserException">The order names others.</exception>
    internal static string[] Ordered(string[] found, IReadOnlyList<string>? order, string where)
    {
        if (order is null) return found;
        var (absent, unlisted) = (order.Except(found).ToArray(), found.Except(order).ToArray());
        if (absent.Length > 0) throw new UserException($"the list of classes names {Named(absent)}, and '{where}' has no such class");
        if (unlisted.Length > 0) throw new UserException($"the list of classes leaves out {Named(unlisted)} of '{where}'");
        return [.. order];
    }

    /// <summary>The first few names, and how many more there are.</summary>
    internal static string Named(IReadOnlyCollection<string> names) => string.Join(", ", names.Take(MaxNamed).Select(name => $"'{name}'"))
        + (names.Count > MaxNamed ? $" and {names.Count - MaxNamed} more" : "");
}
