using DistillSharp.Data;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Extending;
using DistillSharp.Methods;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Training;

namespace DistillSharp.Tests.Experiments.Recipes;

public class RecipeTests
{
    internal const string Full = """
        # the design's example
        data:    { set: cifar100, root: data, batch: 128, augment: [crop, flip], train_limit: 10000, test_limit: 2000,
                   mean: [0.5070, 0.4865, 0.4409], std: [.2673, .2564, .2762] }
        teacher: { network: resnet56, weights: "teachers/resnet 56.pth" }
        student: { network: resnet20, weights: start.safetensors }
        methods: [ { name: fsecd, policy: class, layer: logits, temperature: 0.07, weight: 3 }, { name: kd, temperature: 2 } ]
        ce:      { weight: .5 }
        train:
          epochs: 200
          lr: 1e-1
          schedule: { steps: [100, 150], factor: 0.2 }
          warmup_steps: 200
          momentum: 0.8
          weight_decay: 1e-4
          nesterov: true
          precision: fp32
          device: cuda:1
          seed: 7
          evaluate_every: 5
          evaluate_batch: 500
          keep_checkpoints: 3
          checkpoint_minutes: 2.5
          teacher_memory: 1.5 GB
        """;

    internal const string Small = """
        data: { set: cifar100 }
        teacher: { network: resnet56, weights: t.pth }
        student: { network: resnet20 }
        methods: [ { name: fsecd } ]
        """;

    [Fact]
    public void Every_setting_arrives()
    {
        var recipe = Recipe.Parse(Full);
        Assert.Equal(("cifar100", "data", 128, 10000, 2000),
            (recipe.Data.Set, recipe.Data.Root, recipe.Data.Batch, recipe.Data.TrainLimit, recipe.Data.TestLimit));
        Assert.Equal([new PadAndCrop(), new Flip()], recipe.Data.Augment);
        Assert.Equal([0.5070f, 0.4865f, 0.4409f], recipe.Data.Mean!);
        Assert.Equal([.2673f, .2564f, .2762f], recipe.Data.Std!);
        Assert.Equal(
            ("resnet56", "teachers/resnet 56.pth", null),
            (recipe.Teacher!.Members[0].Network, recipe.Teacher.Members[0].Weights, recipe.Teacher.Members[0].TorchScript));
        Assert.Equal(("resnet20", "start.safetensors"), (recipe.Student.Network, recipe.Student.Weights));
        Assert.Equal(["fsecd", "kd"], recipe.Methods.Select(method => method.Name));
        Assert.Equal(("class", "logits", "0.07", "3"), (recipe.Methods[0].Settings["policy"], recipe.Methods[0].Settings["layer"],
            recipe.Methods[0].Settings["temperature"], recipe.Methods[0].Settings["weight"]));
        Assert.Equal(("2", "0.9"), (recipe.Methods[1].Settings["temperature"], recipe.Methods[1].Settings["weight"]));
        Assert.Equal(0.5, recipe.CrossEntropyWeight);

        var train = recipe.Train;
        var schedule = Assert.IsType<MultiStepSchedule>(train.Schedule);
        Assert.Equal([100, 150], schedule.Milestones);
        Assert.Equal((0.2, 0.1, 200), (schedule.Gamma, schedule.BaseRate, schedule.WarmupSteps));
        Assert.Equal((200, 0.8, 1e-4, true), (train.Epochs, train.Momentum, train.WeightDecay, train.Nesterov));
        Assert.Equal((Precision.Fp32, Device.Cuda(1), 7), (train.Precision, train.Device, train.Seed));
        Assert.Equal((5, 500, 3, 2.5), (train.EvaluateEvery, train.EvaluateBatch, train.KeepCheckpoints, train.CheckpointMinutes));
        Assert.Equal(1_500_000_000, train.TeacherMemory);
        Assert.Empty(recipe.Warnings);
    }

    [Fact]
    public void What_is_left_out_is_the_protocol()
    {
        var recipe = Recipe.Parse(Small);
        Assert.Equal(("data", 64, null, null), (recipe.Data.Root, recipe.Data.Batch, recipe.Data.TrainLimit, recipe.Data.TestLimit));
        Assert.Equal([new PadAndCrop(), new Flip()], recipe.Data.Augment);
        Assert.Equal(1, recipe.CrossEntropyWeight);
        var schedule = Assert.IsType<MultiStepSchedule>(recipe.Train.Schedule);
        Assert.Equal([150, 180, 210], schedule.Milestones);
        Assert.Equal((0.1, 0.05, 0), (schedule.Gamma, schedule.BaseRate, schedule.WarmupSteps));
        Assert.Equal(
            (240, 0.9, 5e-4, false, 1),
            (recipe.Train.Epochs, recipe.Train.Momentum, recipe.Train.WeightDecay, recipe.Train.Nesterov, recipe.Train.Seed));
        Assert.Equal((Precision.Auto, Device.Cpu), (recipe.Train.Precision, recipe.Train.Device));
    }

    [Fact]
    public void Cross_entropy_weighs_what_the_methods_ask_for()
    {
        Assert.Equal(1, Recipe.Parse(Small, "x", "methods=[fsecd, dkd]").CrossEntropyWeight);
        Assert.Equal(1, Recipe.Parse(Small, "x", "methods=[ce]", "teacher=null").CrossEntropyWeight);
        Assert.Equal(2, Recipe.Parse(Small, "x", "methods=[kd]", "ce.weight=2").CrossEntropyWeight);
    }

    [Fact]
    public void What_follows_from_the_pair_is_written_out_and_marked()
    {
        const string mark = "  # the published value for this pair and data";
        var recipe = Recipe.Parse(Small, "x", "methods=[fsecd, kd]");
        Assert.Equal(
            (0.1, "0.9", "4"),
            (recipe.CrossEntropyWeight, recipe.Methods[1].Settings["weight"], recipe.Methods[1].Settings["temperature"]));
        Assert.Contains(
            $"temperature: 4{mark}\n    standardize: false\n    weight: 0.9{mark}\nce:\n  weight: 0.1{mark}\n", recipe.Resolve());
        Assert.DoesNotContain($"layer: pooled{mark}", recipe.Resolve());
        Assert.Contains("    weight: 0.5\nce:", recipe.With("methods.kd.weight=0.5").Resolve());
        // Whether a value was given or follows, it is the same experiment.
        Assert.Equal(recipe.Digest, recipe.With("methods.kd.weight=0.9", "ce.weight=0.1").Digest);
        Assert.Equal(recipe.Digest, Recipe.Parse(recipe.Resolve()).Digest);

        var photographs = recipe.With("data.set=image-folder");
        Assert.Equal((0.5, "0.5", "1"),
            (photographs.CrossEntropyWeight, photographs.Methods[1].Settings["weight"], photographs.Methods[1].Settings["temperature"]));
        var dkd = Recipe.Parse(Small, "x", "methods=[dkd]").Methods[0].Settings;
        Assert.Equal(("2", "4", "20"), (dkd["beta"], dkd["temperature"], dkd["warmup"]));
        Assert.Equal("0.6", Recipe.Parse(Small, "x", "methods=[reviewkd]").Methods[0].Settings["weight"]);
    }

    [Theory]
    [InlineData("methods=[]")]
    [InlineData("methods=null")]
    [InlineData("methods=[ce]")]
    [InlineData("methods=[{ name: ce }]")]
    public void Cross_entropy_alone_needs_no_teacher(string methods)
    {
        var recipe = Recipe.Parse(Small, "x", methods, "teacher=null");
        Assert.Empty(recipe.Methods);
        Assert.Null(recipe.Teacher);
        Assert.Equal(1, recipe.CrossEntropyWeight);
    }

    [Theory]
    [InlineData("cosine", typeof(CosineSchedule))]
    [InlineData("linear", typeof(LinearSchedule))]
    [InlineData("constant", typeof(ConstantSchedule))]
    [InlineData("{ factor: 0.5 }", typeof(MultiStepSchedule))]
    public void Every_form_of_schedule(string form, Type type)
    {
        var recipe = Recipe.Parse(Small, "x", $"train.schedule={form}", "train.lr=0.3", "train.warmup_steps=5");
        Assert.IsType(type, recipe.Train.Schedule);
        Assert.Equal((0.3, 5), (recipe.Train.Schedule.BaseRate, recipe.Train.Schedule.WarmupSteps));
    }

    [Theory]
    [InlineData(240, new[] { 150, 180, 210 })]
    [InlineData(480, new[] { 300, 360, 420 })]
    [InlineData(24, new[] { 15, 18, 21 })]
    [InlineData(2, new[] { 1 })]
    [InlineData(1, new int[0])]
    public void Steps_follow_the_epochs(int epochs, int[] steps)
    {
        var recipe = Recipe.Parse(Small, "x", $"train.epochs={epochs}");
        Assert.Equal(steps, Assert.IsType<MultiStepSchedule>(recipe.Train.Schedule).Milestones);
        Assert.Empty(recipe.Warnings);
    }

    [Fact]
    public void A_step_after_the_end_is_warned_of()
    {
        var warning = Assert.Single(Recipe.Parse(Full, "r.yaml", "train.epochs=120").Warnings);
        Assert.Equal("r.yaml:11: the learning rate is to fall after epoch 150, but training ends with epoch 120; "
            + "leave train.schedule out and the steps follow train.epochs", warning);
    }

    [Fact]
    public void A_teacher_may_be_torchscript()
    {
        var recipe = Recipe.Parse(Small, "x", "teacher={ torchscript: a/tiny-net.pt }");
        var only = Assert.Single(recipe.Teacher!.Members);
        Assert.Equal(("tiny-net", "a/tiny-net.pt", null), (recipe.Teacher.Name, only.File, only.Network));
    }

    [Fact]
    public void A_teacher_may_have_images_of_its_own()
    {
        Assert.Null(Recipe.Parse(Small).Teacher!.Input);
        Assert.DoesNotContain("std: null", Recipe.Parse(Small).Resolve());
        var recipe = Recipe.Parse(Small, "x", "teacher.mean=[0.5, 0.4, 0.3]", "teacher.std=[1, 0.25, 1]", "teacher.size=64");
        var input = recipe.ToTrainingOptions().TeacherInput!;
        Assert.Equal((64, "0.5 0.4 0.3", "1 0.25 1"), (input.Size, string.Join(' ', input.Mean!), string.Join(' ', input.Std!)));
        Assert.Contains("  weights: t.pth\n  mean: [0.5, 0.4, 0.3]\n  std: [1, 0.25, 1]\n  size: 64\nstudent:", recipe.Resolve());
        Assert.Equal(recipe.Resolve(), Recipe.Parse(recipe.Resolve()).Resolve());
        Assert.NotEqual(Recipe.Parse(Small).Digest, recipe.Digest);
    }

    [Theory]
    [InlineData(Full)]
    [InlineData(Small)]
    [InlineData(
        "data: { set: mnist, root: 'C:\\data: 1', augment: [] }\nstudent: { network: resnet8 }\ntrain: { schedule: cosine, lr: 1e-5, "
        + "seed: 9223372036854775807 }")]
    [InlineData(
        "data: { set: cifar10, root: \"5\" }\nstudent: { network: resnet8x4 }\nteacher: { torchscript: 'true' }\nmethods: [kd]\ntrain: { "
        + "schedule: { steps: [] } }")]
    public void The_resolved_text_reads_back_as_the_same_recipe(string text)
    {
        var recipe = Recipe.Parse(text);
        var resolved = recipe.Resolve();
        var again = Recipe.Parse(resolved);
        // What followed from the pair stands there now, and so is no longer marked.
        Assert.Equal(resolved.Replace($"  # {MethodSection.OfPair}", ""), again.Resolve());
        Assert.Equal((recipe.Data.Root, recipe.Teacher, recipe.Student, recipe.CrossEntropyWeight),
            (again.Data.Root, again.Teacher, again.Student, again.CrossEntropyWeight));
        Assert.Equal((recipe.Train.Seed, recipe.Train.Schedule.BaseRate, recipe.Train.Schedule.GetType()),
            (again.Train.Seed, again.Train.Schedule.BaseRate, again.Train.Schedule.GetType()));
        Assert.Equal(recipe.Methods.SelectMany(method => method.Settings), again.Methods.SelectMany(method => method.Settings));
    }

    [Fact]
    public void The_resolved_text_says_everything()
    {
        Assert.Equal("""
            data:
              set: cifar100
              root: data
              batch: 64
              augment: [crop, flip]
              mean: [0.5071, 0.4867, 0.4408]
              std: [0.2675, 0.2565, 0.2761]
              train_limit: null
              test_limit: null
            teacher:
              network: resnet56
              weights: t.pth
            student:
              network: resnet20
              weights: null
            methods:
              - name: fsecd
                policy: instance
                layer: pooled
                temperature: 0.05
                weight: 3
            ce:
              weight: 1
            train:
              epochs: 240
              optimizer: sgd
              lr: 0.05
              schedule: { steps: [150, 180, 210], factor: 0.1 }
              warmup_steps: 0
              momentum: 0.9
              weight_decay: 0.0005
              decay_norms: true
              nesterov: false
              clip: null
              label_smoothing: 0
              precision: auto
              device: cpu
              seed: 1
              evaluate_every: 1
              evaluate_batch: 250
              keep_checkpoints: 2
              checkpoint_minutes: null
              teacher_memory: auto
              loader_threads: null

            """, Recipe.Parse(Small).Resolve());
    }

    [Fact]
    public void Spelling_does_not_change_the_digest()
    {
        var other = """
            train:
                epochs: 240
                lr: 5e-2
            student: { network: "resnet20" }
            methods:
            - fsecd
            teacher:
                weights: 't.pth'
                network: resnet56
            data: { set: cifar100, batch: 64, root: ~ }
            """;
        Assert.Equal(Recipe.Parse(Small).Digest, Recipe.Parse(other).Digest);
        Assert.NotEqual(Recipe.Parse(Small).Digest, Recipe.Parse(Small, "x", "train.seed=2").Digest);
    }

    [Fact]
    public void The_digest_is_that_of_the_keys_that_change_results()
    {
        var recipe = Recipe.Parse(Small);
        string[] bookkeeping =
        [
            "data.root=/elsewhere", "train.evaluate_every=7", "train.evaluate_batch=7", "train.keep_checkpoints=7",
                "train.checkpoint_minutes=7",
            "train.teacher_memory=off", "train.teacher_folder=answers", "train.teacher_folder_size=1 GB", "train.loader_threads=7",
            "train.cuda_graphs=false",
        ];
        Assert.All(bookkeeping, given => Assert.Equal(recipe.Digest, recipe.With(given).Digest));
        Assert.Equal(bookkeeping.Select(given => given.Split('=')[0]),
            RecipePage.Sections.SelectMany(section => section.All).Where(key => !key.ChangesResults).Select(key => key.Path));
        string[] decisive =
        [
            "data.batch=7", "data.test_limit=7", "student.network=resnet8", "teacher.weights=u.pth", "methods.fsecd.weight=7",
                "ce.weight=7",
            "train.epochs=7", "train.lr=7", "train.schedule=cosine", "train.device=cuda:7", "train.precision=bf16", "train.seed=7",
        ];
        Assert.Equal(decisive.Length, decisive.Select(given => recipe.With(given).Digest).Append(recipe.Digest).Distinct().Count() - 1);
    }

    [Fact]
    public void The_trainer_is_told_everything()
    {
        var options = Recipe.Parse(Full).ToTrainingOptions();
        Assert.Equal(Recipe.Parse(Full).Train.Schedule.At(new(1000, 10, 200)), options.Schedule.At(new(1000, 10, 200)));
        Assert.Equal(
            (200, 128, 0.8, 1e-4, true), (options.Epochs, options.BatchSize, options.Momentum, options.WeightDecay, options.Nesterov));
        Assert.Equal(
            (Precision.Fp32, 7, Device.Cuda(1), 0.5), (options.Precision, options.Seed, options.Device, options.CrossEntropyWeight));
        Assert.Equal(Augmentation.CropAndFlip, options.Augmentation);
        Assert.Equal((500, 5, 3, TimeSpan.FromSeconds(150)),
            (options.EvaluationBatchSize, options.EvaluateEvery, options.KeepCheckpoints, options.CheckpointEvery));
        Assert.Equal(new Augmentation(new PadAndCrop { Padding = 8 }, new Flip()),
            Recipe.Parse(Small, "x", "data.augment=[{ crop: { padding: 8 } }, flip]").ToTrainingOptions().Augmentation);
        Assert.Contains(
            "augment: [{ crop: { padding: 8 } }, flip]\n",
            Recipe.Parse(Small, "x", "data.augment=[{ crop: { padding: 8 } }, flip: null]").Resolve());
        Assert.Contains("augment: [flip, crop]\n", Recipe.Parse(Small, "x", "data.augment=[flip, { crop: { padding: 4 } }]").Resolve());
        Assert.Equal(Augmentation.None, Recipe.Parse(Small, "x", "data.augment=[]").ToTrainingOptions().Augmentation);
        Assert.Null(Recipe.Parse(Small).ToTrainingOptions().CheckpointEvery);
    }

    [Fact]
    public void The_protocol_is_that_of_the_library()
    {
        foreach (
            var (set, student, epochs) in new[] {
                ("cifar100", "resnet20", 240), ("cifar100", "shufflenet_v1", 24), ("image-folder", "resnet18", 10) })
        {
            var recipe =
                Recipe.Parse(Small, "x", $"data.set={set}", $"student.network={student}", $"train.epochs={epochs}").ToTrainingOptions();
            var library = new TrainingOptions { Protocol = Toolkit.BuiltIn.Datasets[set].Protocol, Student = student, Epochs = epochs };
            Assert.Equal(
                (library.BatchSize, library.WeightDecay, library.Momentum, library.Augmentation),
                (recipe.BatchSize, recipe.WeightDecay, recipe.Momentum, recipe.Augmentation));
            for (var epoch = 0; epoch < epochs; epoch++)
                Assert.Equal(library.Schedule.At(new(epoch, 1, epochs)), recipe.Schedule.At(new(epoch, 1, epochs)));
        }
    }

    [Fact]
    public void A_run_is_named_after_its_recipe()
    {
        Assert.Equal("resnet56-resnet20-fsecd-kd-s7", RunName.Suggest(Recipe.Parse(Full)));
        Assert.Equal("resnet20-ce-s1", RunName.Suggest(Recipe.Parse(Small, "x", "methods=[]", "teacher=null")));
        Assert.Equal("tiny-resnet20-fsecd-s1", RunName.Suggest(Recipe.Parse(Small, "x", "teacher={ torchscript: a/tiny.pt }")));
    }

    [Fact]
    public void Methods_are_made_with_their_settings()
    {
        var methods = Recipe.Parse(Full).CreateMethods();
        var fsecd = Assert.IsType<Fsecd>(methods[0]);
        Assert.Equal((PositivePairs.Class, EmbeddedLayer.Logits, 0.07, 3), (fsecd.Policy, fsecd.Layer, fsecd.Temperature, fsecd.Weight));
        Assert.Equal(2, Assert.IsType<Kd>(methods[1]).Temperature);
        Assert.NotSame(methods[0], Recipe.Parse(Full).CreateMethods()[0]);
    }

    [Fact]
    public void The_documentation_names_every_key()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "recipes.md"));
        // The page of now lies at artifacts/docs/recipe-keys.md, to be put in the place of the old table.
        var table = RecipePage.Keys();
        Directory.CreateDirectory(Path.Combine(SourceTree.Root, "artifacts", "docs"));
        File.WriteAllText(Path.Combine(SourceTree.Root, "artifacts", "docs", "recipe-keys.md"), table);
        Assert.Contains(table, page);
        Assert.All(Datasets.Names, name => Assert.Contains($"`{name}`", page));

        var example =
            page.Split("\n\n").First(block => block.StartsWith("    data:", StringComparison.Ordinal)).Replace("\n    ", "\n").Trim();
        Assert.Equal("resnet56-resnet20-fsecd-s1", RunName.Suggest(Recipe.Parse(example)));
    }
}
