using DistillSharp.Data;
using DistillSharp.Models;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

public class TrainingOptionsTests
{
    [Theory]
    [InlineData(240, new[] { 150, 180, 210 })]
    [InlineData(24, new[] { 15, 18, 21 })]
    [InlineData(1, new int[0])]
    public void An_unsaid_schedule_follows_the_epochs(int epochs, int[] milestones)
    {
        var schedule = Assert.IsType<MultiStepSchedule>(new TrainingOptions { Epochs = epochs }.Schedule);
        Assert.Equal((0.05, 0.1), (schedule.BaseRate, schedule.Gamma));
        Assert.Equal(milestones, schedule.Milestones);
    }

    [Fact]
    public void What_is_unsaid_is_the_protocol_of_the_data_and_the_rate_of_the_student()
    {
        using var light = Networks.Create("shufflenet_v1", 5);
        using var usual = Networks.Create("resnet8", 5);
        var photographs = TinyTraining.Data with { Protocol = Protocol.ImageNet };
        Assert.Equal(0.01, new TrainingOptions().For(TinyTraining.Data, light).Schedule.BaseRate);
        Assert.Equal(0.05, new TrainingOptions().For(TinyTraining.Data, usual).Schedule.BaseRate);
        var options = new TrainingOptions().For(photographs, light);
        Assert.Equal((100, 256, 1e-4, 0.1), (options.Epochs, options.BatchSize, options.WeightDecay, options.Schedule.BaseRate));
        Assert.Equal(new Augmentation(new ResizedCrop(), new Flip()), options.Augmentation);
        Assert.Equal([30, 60, 90], Assert.IsType<MultiStepSchedule>(options.Schedule).Milestones);
    }

    [Fact]
    public void What_is_said_stays()
    {
        using var student = Networks.Create("resnet8", 5);
        var said = new TrainingOptions
        {
            Epochs = 7, BatchSize = 9, WeightDecay = 0, Schedule = new ConstantSchedule { BaseRate = 3 }, Augmentation = Augmentation.None,
            Protocol = Protocol.Cifar,
        };
        var options = said.For(TinyTraining.Data with { Protocol = Protocol.ImageNet }, student);
        Assert.Equal(said with { Student = "resnet8" }, options);
    }
}
