using System.Reflection;
using DistillSharp.Extending;

namespace DistillSharp.Cli;

/// <summary>
/// An assembly that adds to a toolkit: it has a public class with a method <c>public static void Register(Toolkit toolkit)</c>.
/// What it refers to is looked for in its own folder; DistillSharp itself is the one that is running.
/// </summary>
static class Plugin
{
    const string Entry = "Register";

    /// <summary>Loads an assembly and lets it add to the toolkit.</summary>
    /// <exception cref="UserException">It cannot be loaded, has no such method, or the method failed.</exception>
    public static void Load(string path, Toolkit toolkit)
    {
        if (!File.Exists(path)) throw new UserException($"there is no plugin '{path}'; give the assembly's file, a .dll");
        MethodInfo[] entries;
        try { entries = [.. Assembly.LoadFrom(Path.GetFullPath(path)).GetExportedTypes().SelectMany(Entries)]; }
        catch (Exception e) when (e is BadImageFormatException or TypeLoadException or ReflectionTypeLoadException)
        {
            throw new UserException(
                $"the plugin '{path}' cannot be loaded: it is no .NET assembly, or was built against another version of DistillSharp", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"cannot read the plugin '{path}': {e.Message}", e);
        }
        if (entries.Length == 0)
            throw new UserException(
                $"the plugin '{path}' adds nothing: it has no public static void {Entry}({nameof(Toolkit)} toolkit) in a public class");
        foreach (var entry in entries)
            try { entry.Invoke(null, [toolkit]); }
            catch (TargetInvocationException e)
            {
                throw new UserException($"the plugin '{path}' failed to add to the toolkit: {e.InnerException!.Message}", e);
            }
    }

    static IEnumerable<MethodInfo> Entries(Type type) =>
        type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        .Where(method => method.Name == Entry && method.GetParameters() is [{ ParameterType: var given }] && given == typeof(Toolkit));
}
