using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Training;

namespace MyExperiment;

public static class MyTraining
{
    /// <summary>Makes both known by name; call it once, when the program starts.</summary>
    public static void Register()
    {
        DistillationMethods.Register("similarity", () => new SimilarityPreserving());
        Networks.Register("plain", (name, classes) => new PlainNet(name, classes));
    }

    /// <summary>By the library.</summary>
    public static TrainingResult Train(Dataset data, Classifier teacher, TrainingObserver observer)
    {
        using var student = Networks.Create("plain", data.Classes, seed: 1);
        using var trainer = new Trainer(student, teacher, [new SimilarityPreserving { FromLast = 2 }, new Kd()], data, new TrainingOptions { Epochs = 1, BatchSize = 8 });
        return trainer.Run(observer);
    }

    /// <summary>By a recipe, which names them like those that came with the library.</summary>
    public static Recipe Recipe() => DistillSharp.Experiments.Recipes.Recipe.Parse("""
        data:    { set: cifar100, root: data, batch: 128 }
        teacher: { network: resnet56, weights: teachers/resnet56.pth }
        student: { network: plain }
        methods: [ { name: similarity, from_last: 2, weight: 1000 }, kd ]
        train:   { epochs: 240, lr: 0.05 }
        """);
}
