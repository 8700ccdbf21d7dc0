using System.Diagnostics;

namespace DistillSharp.Tests.Training;

/// <summary>A file system in memory of some size, where this process may mount one.</summary>
static class SmallDisk
{
    static readonly Lazy<bool> possible = new(() =>
    {
        var folder = Directory.CreateTempSubdirectory("distillsharp-test-").FullName;
        try { return Mount(folder, "1m") && Unmount(folder); }
        finally { Directory.Delete(folder); }
    });

    public static bool IsPossible => OperatingSystem.IsLinux() && possible.Value;

    public static bool Mount(string folder, string size) => Run("mount", "-t", "tmpfs", "-o", $"size={size}", "distillsharp-test", folder);

    /// <summary>Nothing can be written to it from now on, not even by root.</summary>
    public static bool MakeReadOnly(string folder) => Run("mount", "-o", "remount,ro", folder);

    public static bool Unmount(string folder) => Run("umount", folder);

    /// <summary>Writes until nothing fits.</summary>
    public static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var piece = new byte[4096]; ;) file.Write(piece);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

/// <summary>A fact that runs only where this process may mount a small file system.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute()
    {
        if (!SmallDisk.IsPossible) Skip = "this process may not mount a small file system";
    }
}
