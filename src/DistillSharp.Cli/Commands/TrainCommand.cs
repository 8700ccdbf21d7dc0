using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Runs;
using DistillSharp.Training;

namespace DistillSharp.Cli.Commands;

sealed class TrainCommand : CliCommand
{
    readonly CliArgument<string> recipe =
        new("RECIPE", "A recipe's file, a name that 'distill recipe list' prints, or the folder of a run to resume");
    readonly CliOption<string?> name = new("--name", "The run's name; made of teacher, student, methods and seed where it is left out");
    readonly CliOption<bool> resume = new("--resume", "Go on with the run of that name from its last checkpoint, if there is one");
    readonly CliOption<bool> adopt =
        new("--adopt", "With --resume: take over what differs in the recipe's training, such as another learning rate");
    readonly CliOption<bool> profile =
        new("--profile", "Print at the end where a step's time went, and how near it comes to libtorch's convolutions alone");
    readonly CliOption<int?> profileSteps = new("--profile-steps", "The same, but end after so many steps, with a checkpoint", help: "N");

    public TrainCommand() : base("train", "Train a student, with a teacher or alone, as a recipe says.",
        "distill train recipes/cifar100-resnet56-resnet20-fsecd.yaml",
        "distill train recipes/cifar100-resnet56-resnet20-fsecd.yaml --set train.epochs=1 --set data.root=/data --name first",
        "distill train recipes/cifar100-resnet56-resnet20-fsecd.yaml --name first --resume",
        "distill train recipes/cifar100-resnet56-resnet20-fsecd.yaml --profile-steps 100") =>
        Takes(recipe, Set, name, resume, adopt, Runs, profile, profileSteps, Json);

    public override int Run(ParseResult given, Terminal terminal)
    {
        if (given.GetValue(adopt) && !given.GetValue(resume))
            throw new UsageException("--adopt changes a run that goes on; give --resume with it");
        var request = TrainingRequest.Of(given.GetValue(recipe)!, given.GetValue(Set) ?? [], given.GetValue(name), given.GetValue(Runs)!,
            given.GetValue(resume), (source, overrides) => PaperRecipes.Open(source, Toolkit, overrides), Toolkit);
        if (given.GetValue(profileSteps) is < 1 and var few) throw new UsageException($"--profile-steps is {few}; it must be 1 or more");
        var noted = given.GetValue(profileSteps) is { } steps ? new() { MaxSteps = steps }
            : given.GetValue(profile) ? new StepProfile() : null;
        using var stop = new StopOnInterrupt(terminal);
        using var progress = TrainingProgressView.For(terminal);
        if (ServedPage.Find(request.RunsRoot) is { } page) progress.Said($"shown at {page}");
        var experiment = new Experiment(request.Recipe, request.RunsRoot, progress)
        {
            Profile = noted, Adopt = given.GetValue(adopt), KnownTeacher = TeacherCard.TrainingOf, Progress = progress,
            Rendezvous = ProcessVariables.Read(Environment.GetEnvironmentVariable),
        };
        var result = experiment.Run(request.Name, given.GetValue(resume), stop: stop.Token);
        progress.Dispose();

        var done = result.Training.Completed || noted is { IsDone: true } ? 0 : 1;
        if (result.IsFollower) return done;
        if (given.GetValue(Json))
            terminal.Json(new
            {
                run = result.Folder, completed = result.Training.Completed, epochs = result.Training.Epochs,
                acc1 = result.Training.Accuracy?.Top1, acc5 = result.Training.Accuracy?.Top5, result.Training.BestAcc1,
                result.Training.BestEpoch, result.Student.Parameters, result.ImagesPerSecond, result.Seconds,
                profile = noted is null ? null : StepProfileTable.Json(noted, result.Convolutions),
            });
        else if (result.Training.Completed)
            terminal.Out.WriteLine(
                $"{result.Student.Network}: {Figures.Accuracies(result.Training.Accuracy?.Top1, result.Training.Accuracy?.Top5)} "
                + $"after {result.Training.Epochs.Of("epoch")}; the run is {result.Folder}");
        else
            terminal.Out.WriteLine(
                $"stopped in epoch {result.Training.Epochs + 1} with a checkpoint; go on with: distill train {result.Folder} --resume");
        if (noted is not null && !given.GetValue(Json)) StepProfileTable.Print(noted, result.Convolutions, terminal);
        return done;
    }
}
