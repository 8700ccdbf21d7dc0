/// <summary>
/// Loaded by the runtime into a process under test (DOTNET_STARTUP_HOOKS): at its end, writes which files it had mapped,
/// native libraries and assemblies alike. The runtime asks for this name, without a namespace.
/// </summary>
static class StartupHook
{
    public const string Target = "DISTILLSHARP_TEST_MAPS";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(Target) is not { } file) return;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Copy("/proc/self/maps", file);
    }
}
