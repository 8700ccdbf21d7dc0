using System.CommandLine.Help;
using System.Reflection;
using DistillSharp.Extending;
using DistillSharp.Onnx.Quantization;
using DistillSharp.Onnx.Teachers;

namespace DistillSharp.Cli;

/// <summary>
/// Parses a command line, runs the command it names, and turns every failure into one line on standard error and an exit
/// code: 0 done, 1 failed, 2 wrong use.
/// </summary>
sealed class Application
{
    const int Failed = 1;
    const int WrongUse = 2;

    readonly Terminal terminal;
    readonly Command root = new("distill", "Compress image classifiers by knowledge distillation.");
    readonly CliOption<bool> verbose = new("--verbose", "Print stack traces when something fails") { Recursive = true };
    readonly CliOption<string[]> plugins =
        new("--plugin", "Load an assembly with methods, networks or data sets of your own (may be given several times)", help: "DLL")
        {
            Recursive = true,
        };
    readonly Action<Toolkit>? add;

    public Application(Terminal terminal, IReadOnlyList<CliCommand> commands, Action<Toolkit>? add = null)
    {
        (this.terminal, this.add) = (terminal, add);
        root.Options.Add(new HelpOption("--help", "-h") { Description = "Show help, with examples", Action = new ExampleHelp() });
        root.Options.Add(new CliOption<bool>("--version", "Print the version") { Action = new PrintVersion() });
        root.Options.Add(verbose);
        root.Options.Add(plugins);
        root.SetAction(int (ParseResult _) => throw new UsageException("a command is missing; it is one of "
            + $"{string.Join(", ", commands.Select(command => command.Name))} ('distill --help' says what each does)"));
        foreach (var command in commands)
        {
            Connect(command);
            root.Subcommands.Add(command);
        }
    }

    void Connect(CliCommand command)
    {
        Strictness.Apply(command);
        command.SetAction(given =>
        {
            // Not before: the help page waits for no toolkit.
            var files = given.GetValue(plugins) ?? [];
            command.Names = new(NewToolkit(files), files);
            return command.Run(given, terminal);
        });
        if (command is CliGroup group)
            foreach (var member in group.Members) Connect(member);
    }

    Toolkit NewToolkit(IEnumerable<string> files)
    {
        var toolkit = new Toolkit();
        OnnxTeacher.Register(toolkit);
        Int8Training.Register(toolkit);
        add?.Invoke(toolkit);
        foreach (var file in files) Plugin.Load(file, toolkit);
        return toolkit;
    }

    /// <summary>The version as <c>distill --version</c> prints it, without the commit that built it.</summary>
    public static string Version { get; } =
        typeof(Application).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>The command line, parsed but not run. No argument is read from a file named @file: it may be meant as it stands.</summary>
    public ParseResult Parse(string[] arguments) =>
        root.Parse(arguments is ["help", .. var rest]
            ? [.. rest, "--help"] : arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });

    public int Run(string[] arguments)
    {
        var given = Parse(arguments);
        try
        {
            if (given.Errors.Count > 0) throw new UsageException(Mistake.Describe(given));
            return given.Invoke(new InvocationConfiguration
            {
                Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false,
            });
        }
        catch (Exception exception) { return Report(exception, given); }
    }

    int Report(Exception exception, ParseResult given)
    {
        var trace = given.GetValue(verbose);
        var cause = Cause(exception);
        // What the file system refuses (no space, no permission) is the user's to mend, and its messages name the path; so is a
        // libtorch that is missing.
        var expected = cause is UserException or IOException or UnauthorizedAccessException or DllNotFoundException;
        terminal.Error.WriteLine(expected || trace
            ? $"distill: {(expected ? "" : "internal error: ")}{cause.Message}"
            : $"distill: internal error: {cause.Message} (run again with --verbose for the trace)");
        // Who asked for JSON reads standard output, whatever happens.
        if (given.CommandResult.Command is CliCommand { Json: var json } && given.GetResult(json) is { IdentifierTokenCount: > 0 })
            terminal.Json(new { error = cause.Message });
        if (trace && (cause as UserException)?.Details is { } details) terminal.Error.WriteLine(details);
        if (trace) terminal.Error.WriteLine(exception);
        return cause is UsageException ? WrongUse : Failed;
    }

    // A type initializer, reflection and parallel loops wrap what went wrong.
    static Exception Cause(Exception exception) => exception switch
    {
        TypeInitializationException or TargetInvocationException when exception.InnerException is { } inner => Cause(inner),
        AggregateException { InnerExceptions: [var only] } => Cause(only),
        _ => exception,
    };
}
