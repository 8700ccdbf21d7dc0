using System.Runtime.InteropServices;

namespace DistillSharp.Torch.Interop;

/// <summary>
/// Keeps what this process does on a signal from what libraries set when they are loaded: Debian 13's libtorch brings UCX, by way of
/// MPI, which takes SIGHUP for its debugger.
/// </summary>
static unsafe partial class SignalHandlers
{
    // Of the signals that are not of real time; glibc's struct sigaction has 152 bytes.
    const int Count = 31, ActionSize = 256;

    /// <summary>Runs <paramref name="load"/> and puts the handlers back that were there before it.</summary>
    public static nint KeptWhile(Func<nint> load)
    {
        var actions = stackalloc byte[(Count + 1) * ActionSize];
        for (var signal = 1; signal <= Count; signal++) _ = Action(signal, null, actions + signal * ActionSize);
        try
        {
            return load();
        }
        finally
        {
            for (var signal = 1; signal <= Count; signal++) _ = Action(signal, actions + signal * ActionSize, null);
        }
    }

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int Action(int signal, byte* action, byte* former);
}
