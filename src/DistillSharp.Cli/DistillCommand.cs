using DistillSharp.Extending;

namespace DistillSharp.Cli;

/// <summary>The command <c>distill</c>, for programs that add methods, networks and data sets of their own.</summary>
public static class DistillCommand
{
    /// <summary>
    /// Runs a command line. It writes to the console, and never throws for what a user can give wrongly: that is one sentence on
    /// standard error. Sweeps start the program that called this.
    /// </summary>
    /// <param name="arguments">The command line, without the program's name.</param>
    /// <param name="add">Adds what recipes may name beside what comes with the library.</param>
    /// <returns>The exit code: 0 done, 1 failed, 2 wrong use.</returns>
    public static int Run(string[] arguments, Action<Toolkit>? add = null) =>
        new Application(new Terminal(Console.Out, Console.Error), CommandList.All(), add).Run(arguments);
}
