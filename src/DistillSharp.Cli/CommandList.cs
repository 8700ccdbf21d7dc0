using DistillSharp.Cli.Commands;

namespace DistillSharp.Cli;

/// <summary>Every command of the tool, in the order of the help page.</summary>
static class CommandList
{
    public static IReadOnlyList<CliCommand> All() =>
    [
        new QuickstartCommand(),
        new TrainCommand(),
        new LaunchCommand(),
        new EvalCommand(),
        new TeacherCommand(),
        new SweepCommand(),
        new RunsCommand(),
        new ServeCommand(),
        new TableCommand(),
        new ReportCommand(),
        new PlotCommand(),
        new DataCommand(),
        new RecipeCommand(),
        new PredictCommand(),
        new ExportCommand(),
        new BenchCommand(),
        new ModelsCommand(),
        new MethodsCommand(),
        new WeightsCommand(),
        new VerifyCommand(),
        new DoctorCommand(),
    ];
}
