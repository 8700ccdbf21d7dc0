// Distils a small network of one's own from a resnet8 on Fashion-MNIST, by a loss of one's own, and exports it.
using DistillSharp;
using DistillSharp.Data;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Training;
using FashionMnist;

if (args.Length is < 1 or > 3 || args[1..].Any(number => !int.TryParse(number, out var given) || given < 1))
{
    Console.Error.WriteLine("usage: FashionMnist FOLDER [IMAGES [EPOCHS]]     (FOLDER holds the four IDX files, gzipped or not)");
    return 2;
}

try
{
    var images = args.Length > 1 ? int.Parse(args[1]) : 10_000;
    var data = Datasets.FashionMnist(args[0]).Limit(train: images, test: images);
    var epochs = args.Length > 2 ? int.Parse(args[2]) : 10;
    var options = new TrainingOptions { Epochs = epochs, BatchSize = 64, Schedule = new CosineSchedule { BaseRate = 0.05 } };

    // A teacher is a file of weights as a rule: Networks.Create("resnet56", data.Classes).LoadWeights("resnet56.pth").
    using var teacher = Networks.Create("resnet8", data.Classes, seed: 1);
    using (var trainer = new Trainer(teacher, null, [], data, options)) trainer.Run(new Log("teacher"));

    Runtime.Seed(2);
    using var student = new PocketNet(data.Classes);
    using (var trainer = new Trainer(student, teacher, [new Agreement()], data, options)) trainer.Run(new Log("student"));

    student.ExportOnnx("student.onnx", new() { DynamicBatch = true, ClassNames = data.ClassNames, Normalization = data.Normalization });
    Console.WriteLine($"student.onnx: {student.ParameterCount} parameters, the teacher has {teacher.ParameterCount}");
    return 0;
}
catch (UserException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

/// <summary>Prints a line for each epoch.</summary>
sealed class Log(string who) : TrainingObserver
{
    public override void EpochEnded(EpochMetrics metrics) =>
        Console.WriteLine(
            $"{who}, epoch {metrics.Epoch}: Acc1 {metrics.Acc1:0.00} %, "
            + $"{string.Join(", ", metrics.Terms.Select(term => $"{term.Key} {term.Value:0.000}"))}");

    public override void Warned(string message) => Console.Error.WriteLine(message);
}
