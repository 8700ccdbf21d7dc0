using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace DistillSharp.Cli.Tests.WrongInput;

/// <summary>
/// Permissions do not stop root, whom tests often run as. Linux gives each thread an identity for the file system of its own:
/// one thread becomes nobody, the others stay what they are.
/// </summary>
[UnsupportedOSPlatform("windows")]
static partial class Unprivileged
{
    const uint Nobody = 65534, Ask = uint.MaxValue;

    // As nobody a thread cannot load what lies below a folder of root's alone: everything is loaded before.
    static readonly Lazy<bool> loaded = new(() =>
    {
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll"))
        {
            try
            {
                Assembly.LoadFrom(file);
            }
            catch (BadImageFormatException)
            {
                // A native library of a package.
            }
        }
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*.so")) NativeLibrary.TryLoad(file, out _);
        return DistillSharp.Torch.Runtime.Version.Length > 0;
    });

    /// <summary>Whether permissions can be made to hold here.</summary>
    public static bool IsPossible { get; } = OperatingSystem.IsLinux()
        && (!Environment.IsPrivilegedProcess || OnThread(() => Assert.Equal(Nobody, setfsuid(Ask))));

    /// <summary>Runs a test's part to which permissions apply.</summary>
    /// <param name="folder">The test's folder; nobody can see what is in it, but for what is closed to others.</param>
    /// <param name="part">The part. It is to stay on its thread.</param>
    public static void Run(string folder, Action part)
    {
        if (Environment.IsPrivilegedProcess)
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        OnThread(part);
    }

    static bool OnThread(Action part)
    {
        if (Environment.IsPrivilegedProcess) _ = loaded.Value;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Environment.IsPrivilegedProcess) _ = (setfsgid(Nobody), setfsuid(Nobody));
                part();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return true;
    }

    [LibraryImport("libc")] private static partial uint setfsuid(uint id);

    [LibraryImport("libc")] private static partial uint setfsgid(uint id);
}

/// <summary>A fact that needs permissions to hold.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class UnprivilegedFactAttribute : FactAttribute
{
    public UnprivilegedFactAttribute()
    {
        if (OperatingSystem.IsWindows() || !Unprivileged.IsPossible) Skip = "permissions cannot be made to hold for this process";
    }
}
