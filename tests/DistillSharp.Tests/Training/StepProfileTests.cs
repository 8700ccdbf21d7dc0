using DistillSharp.Data;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class StepProfileTests
{
    [Fact]
    public void Every_step_but_the_first_is_counted_whole()
    {
        using var run = new TinyTraining(TinyTraining.Options(), TinyTraining.Methods("kd")) { Profile = new() { WarmupSteps = 1 } };
        run.Run();
        var profile = run.Profile!;
        // Batches of 8, 8 and 4, three times.
        Assert.Equal((8, 52L), (profile.Steps, profile.Images));
        Assert.Equal(profile.StepSeconds, Enum.GetValues<StepPhase>().Sum(profile.Seconds), 1e-9);
        Assert.Equal(52, profile.ImagesPerSecond * profile.StepSeconds * 8, 1e-6);
        foreach (var phase in Enum.GetValues<StepPhase>()) Assert.True(profile.Seconds(phase) > 0, $"{phase}");
    }

    [Fact]
    public void What_happens_between_epochs_is_no_part_of_a_step()
    {
        using var run = new TinyTraining(TinyTraining.Options()) { Profile = new() { WarmupSteps = 0 } };
        var slow = TimeSpan.FromMilliseconds(400);
        run.At = step =>
        {
            if (step == 0) Thread.Sleep(slow);
        };
        var clock = System.Diagnostics.Stopwatch.StartNew();
        run.Run();
        // Three measurements slept, and none of that is charged to a step.
        Assert.True(run.Profile!.StepSeconds * run.Profile.Steps < (clock.Elapsed - 3 * slow).TotalSeconds);
    }

    [Fact]
    public void A_run_ends_after_the_steps_asked_for()
    {
        using var run = new TinyTraining(TinyTraining.Options()) { Profile = new() { WarmupSteps = 1, MaxSteps = 4 } };
        var result = run.Run();
        Assert.Equal((false, 5L, 4, true), (result.Completed, result.Steps, run.Profile!.Steps, run.Profile.IsDone));
    }

    [Fact]
    public void Images_the_teacher_did_not_look_at_lower_the_limit()
    {
        var options = TinyTraining.Options(Precision.Bf16) with { Epochs = 4, Augmentation = Augmentation.None, TeacherMemory = 1_000_000 };
        using var run = new TinyTraining(options, TinyTraining.Methods("kd")) { Profile = new() { WarmupSteps = 0 } };
        run.Run();
        var profile = run.Profile!;
        // Each image looks alike in every epoch. Epoch 2 begins with the one check of a batch that is remembered whole; whatever
        // was in epoch 1's last batch of 4 is met again among others.
        Assert.Equal(80, profile.Images);
        Assert.InRange(profile.SkippedImages, 8, 40);
        var limit = new ConvolutionLimit(8, StudentSeconds: 2, TeacherSeconds: 1);
        Assert.Equal((2 * 80 + (80 - profile.SkippedImages)) / 8.0 / 12, profile.LimitSeconds(limit), 1e-9);
    }

    [Fact]
    public void The_convolutions_of_a_network_are_found_with_their_shapes()
    {
        using var network = Networks.Create("resnet8", 5, seed: 1);
        network.Train();
        var before = LivingTensors.Count();
        var found = ConvolutionLimit.Convolution.Of(network, 32, Device.Cpu);

        // A stem, and three blocks of two; the second and the third begin with a stride and have a projection beside.
        (ConvolutionLimit.Convolution, int)[] expected =
        [
            (new(3, 32, 16, 3, 1, 1, 1, IsFirst: true), 1), (new(16, 32, 16, 3, 1, 1, 1, false), 2),
            (new(16, 32, 32, 3, 2, 1, 1, false), 1), (new(32, 16, 32, 3, 1, 1, 1, false), 1), (new(16, 32, 32, 1, 2, 0, 1, false), 1),
            (new(32, 16, 64, 3, 2, 1, 1, false), 1), (new(64, 8, 64, 3, 1, 1, 1, false), 1), (new(32, 16, 64, 1, 2, 0, 1, false), 1),
        ];
        Assert.Equal(expected.ToHashSet(), found.ToHashSet());
        Assert.True(network.Training);
        Assert.Equal(before, LivingTensors.Count());

        // A teacher's norms are folded into its convolutions: they are the same ones.
        using var folding = network.FoldNorms();
        Assert.Equal(expected.ToHashSet(), ConvolutionLimit.Convolution.Of(network, 32, Device.Cpu).ToHashSet());
    }

    [Theory]
    [InlineData(Precision.Fp32)]
    [InlineData(Precision.Bf16)]
    public void A_runs_convolutions_are_timed_for_both_networks_and_nothing_is_left_behind(Precision precision)
    {
        using var run = new TinyTraining(precision, TinyTraining.Methods("kd"));
        var before = LivingTensors.Count();
        var limit = run.MeasureConvolutions();
        Assert.Equal(8, limit.BatchSize);
        Assert.True(limit is { StudentSeconds: > 0, TeacherSeconds: > 0, PeakMultiplyAdds: > 1e8 });
        // What Describe counts, without the linear layer; of the student three times, but for the first layer's input.
        var student = run.Student.Describe(32).MultiplyAdds - 64 * TinyTraining.Classes;
        Assert.Equal(8.0 * (3 * student - 3 * 16 * 9 * 32 * 32), limit.StudentMultiplyAdds);
        Assert.Equal(before, LivingTensors.Count());
    }
}
