using System.Text;
using DistillSharp.Experiments.Recipes;

namespace DistillSharp.Tests.Experiments.Recipes;

public class RecipeErrorTests
{
    // Line 1 is data's, 2 teacher's, 3 student's, 4 methods', 5 ce's, 6 train's.
    static UsageException Wrong(
        string? data = "set: cifar100", string? teacher = "network: resnet56, weights: t.pth", string? student = "network: resnet20",
        string? methods = "{ name: fsecd }", string? ce = "weight: 1", string? train = "epochs: 2")
    {
        var text = new StringBuilder();
        foreach (
            var (key, value) in new[] {
                ("data", data), ("teacher", teacher), ("student", student), ("methods", methods), ("ce", ce), ("train", train) })
            text.Append(value is null ? "#" : key == "methods" ? $"{key}: [ {value} ]" : $"{key}: {{ {value} }}").Append('\n');
        return Assert.Throws<UsageException>(() => Recipe.Parse(text.ToString(), "r.yaml"));
    }

    [Theory]
    [InlineData("set: cifar100, bacth: 3", "r.yaml:1: data has no key 'bacth'; did you mean 'batch'?")]
    [InlineData(
        "set: cifar100, color: 3",
        "r.yaml:1: data has no key 'color'; there are set, root, size, batch, augment, second_view, mean, std, damaged, decode, "
        + "orientation, classes, train_limit, test_limit")]
    [InlineData(
        "root: data",
        "r.yaml:1: data does not say which set; there are cifar10, cifar100, cifar100-coarse, fashion-mnist, image-folder, imagenet, "
        + "mnist, stl10, svhn, tiny-imagenet, webdataset")]
    [InlineData("set: cifar1000", "r.yaml:1: data.set is 'cifar1000', but there is no such data set; did you mean 'cifar100'?")]
    [InlineData("set: [cifar100]", "r.yaml:1: data.set is a list; it must be the name of a data set")]
    [InlineData("set: cifar100, batch: 0", "r.yaml:1: data.batch is '0'; it must be a whole number of at least 1")]
    [InlineData("set: cifar100, batch: -1", "data.batch is '-1'")]
    [InlineData("set: cifar100, batch: 1.5", "data.batch is '1.5'")]
    [InlineData("set: cifar100, batch: many", "data.batch is 'many'")]
    [InlineData("set: cifar100, batch: \"64\"", "data.batch is the text '64'; it must be a whole number of at least 1")]
    [InlineData("set: cifar100, batch: [64]", "data.batch is a list")]
    [InlineData("set: cifar100, batch: { size: 64 }", "data.batch is keys with values")]
    [InlineData("set: cifar100, batch: 99999999999", "data.batch is '99999999999'")]
    [InlineData("set: cifar100, root: \"a\\0b\"", "data.root is the text 'a?b'; it must be a folder")]
    [InlineData("set: cifar100, root: ''", "data.root is the text ''; it must be a folder")]
    [InlineData(
        "set: cifar100, augment: crop",
        "data.augment is 'crop'; it must be a list such as [ { crop: { padding: 4 } }, flip ], or [] for nothing")]
    [InlineData(
        "set: cifar100, augment: [crop, rotate]",
        "r.yaml:1: data.augment has 'rotate', but there is no such augmentation; there are auto-augment, color-jitter, crop, cutmix, "
        + "flip, mixup, rand-augment, random-erasing, resized-crop, trivial-augment")]
    [InlineData("set: cifar100, augment: [{ crop: { pading: 4 } }]", "crop has no setting 'pading'; did you mean 'padding'?")]
    [InlineData(
        "set: cifar100, augment: [{ crop: { padding: 65 } }]",
        "crop: padding is '65'; it must be a whole number of at least 0 and below 65")]
    [InlineData("set: cifar100, augment: [{ crop: 4 }]", "data.augment has keys with values; it must be a list such as")]
    [InlineData("set: cifar100, size: 64", "data.size is 64, but the images of cifar100 are 32x32; leave it out")]
    [InlineData("set: cifar100, augment: [crop, crop]", "data.augment: augmentation 'crop' is listed twice")]
    [InlineData("set: cifar100, mean: [.5, .5]", "r.yaml:1: data.mean has 2 values and data.std 3; give one of each for every channel")]
    [InlineData("set: cifar100, mean: []", "data.mean is a list; it must be a list of numbers from 0 to 1, one for each channel")]
    [InlineData("set: cifar100, mean: [129.3, 124.1, 112.4]", "data.mean is '129.3'; it must be a list of numbers from 0 to 1")]
    [InlineData("set: cifar100, mean: [.nan, 0, 0]", "data.mean is '.nan'")]
    [InlineData("set: cifar100, std: [.5, 0, .5]", "data.std is '0'; it must be a list of numbers above 0 and at most 1")]
    [InlineData("set: cifar100, std: [.5, 1e-300, .5]", "data.std is '1e-300'")]
    [InlineData(
        "set: cifar100, train_limit: 10", "r.yaml:1: data.train_limit is 10, less than one batch of 64; raise it or lower data.batch")]
    [InlineData("set: cifar100, set: cifar10", "r.yaml:1: 'set' is given twice")]
    public void In_data(string data, string says) => Assert.Contains(says, Wrong(data: data).Message);

    [Theory]
    [InlineData(
        "network: resnet56", "r.yaml:2: the teacher has no weights, and an untrained network teaches nothing; give teacher.weights a file")]
    [InlineData(
        "weights: t.pth", "r.yaml:2: the teacher has no network; give teacher: { network: NAME, weights: FILE } or { torchscript: FILE }")]
    [InlineData(
        "network: resnet56, torchscript: t.pt", "r.yaml:2: the teacher has both a network and a torchscript file; give one of them")]
    [InlineData("weights: t.pth, torchscript: t.pt", "r.yaml:2: the teacher has both weights and a torchscript file")]
    [InlineData(
        "network: resnet65, weights: t.pth",
        "r.yaml:2: teacher.network is 'resnet65', but there is no such network; did you mean 'resnet56'?")]
    [InlineData(
        "network: resnet56, weight: t.pth", "r.yaml:2: teacher.weight is 't.pth'; it must be a number above 0; did you mean 'weights'?")]
    [InlineData(
        "network: resnet56, weights: t.pth, mean: [129, 124, 112]",
        "r.yaml:2: teacher.mean is '129'; it must be a list of numbers from 0 to 1")]
    [InlineData("network: resnet56, weights: t.pth, size: 0", "r.yaml:2: teacher.size is '0'; it must be a whole number from 1 to 4096")]
    [InlineData(
        "network: resnet56, weights: t.pth, std: [0, 1, 1]",
        "r.yaml:2: teacher.std is '0'; it must be a list of numbers above 0 and at most 1")]
    public void In_teacher(string teacher, string says) => Assert.Contains(says, Wrong(teacher: teacher).Message);

    [Theory]
    [InlineData("weights: s.pth", "r.yaml:3: the student has no network; there are ")]
    [InlineData("network: vgg", "r.yaml:3: student.network is 'vgg', but there is no such network")]
    public void In_student(string student, string says) => Assert.Contains(says, Wrong(student: student).Message);

    [Theory]
    [InlineData("{ name: fsedc }", "r.yaml:4: methods[0] is 'fsedc', but there is no such method; did you mean 'fsecd'?")]
    [InlineData("{ policy: instance }", "r.yaml:4: methods[0] has no name; the methods are at, ce, ")]
    [InlineData("[fsecd]", "r.yaml:4: methods[0] is a list; it must be a method, such as { name: fsecd }")]
    [InlineData("{ name: fsecd, tau: 3 }", "r.yaml:4: fsecd has no setting 'tau'; there are name, policy, layer, temperature, weight")]
    [InlineData("{ name: fsecd, temprature: 3 }", "fsecd has no setting 'temprature'; did you mean 'temperature'?")]
    [InlineData("{ name: fsecd, temperature: 0 }", "r.yaml:4: fsecd: temperature is '0'; it must be a number above 0")]
    [InlineData("{ name: fsecd, temperature: -1 }", "fsecd: temperature is '-1'; it must be a number above 0")]
    [InlineData("{ name: fsecd, temperature: .inf }", "fsecd: temperature is '.inf'")]
    [InlineData("{ name: fsecd, temperature: NaN }", "fsecd: temperature is 'NaN'")]
    [InlineData("{ name: kd, temperature: 0 }", "kd: temperature is '0'; it must be a number above 0")]
    [InlineData("{ name: kd, weight: -1 }", "kd: weight is '-1'; it must be a number of at least 0")]
    [InlineData("{ name: crd, momentum: 1 }", "crd: momentum is '1'; it must be a number of at least 0 and below 1")]
    [InlineData("{ name: crd, negatives: 0 }", "crd: negatives is '0'; it must be a whole number of at least 1")]
    [InlineData("{ name: fsecd, policy: sample }", "r.yaml:4: fsecd: policy is 'sample'; it must be instance or class")]
    [InlineData("{ name: fsecd, policy: [class] }", "fsecd.policy is a list; it must be instance or class")]
    [InlineData("fsecd, fsecd", "r.yaml:4: methods lists fsecd twice; each method serves once")]
    [InlineData(
        "{ name: ce, weight: 2 }", "r.yaml:4: cross-entropy is always there; its weight stands in ce: { weight: ... }, not in methods")]
    public void In_methods(string methods, string says) => Assert.Contains(says, Wrong(methods: methods).Message);

    [Theory]
    [InlineData("weight: -1", "r.yaml:5: ce.weight is '-1'; it must be a number of at least 0")]
    [InlineData("weigth: 1", "r.yaml:5: ce has no key 'weigth'; did you mean 'weight'?")]
    [InlineData("temperature: 1", "r.yaml:5: ce has no key 'temperature'; there is weight")]
    public void In_cross_entropy(string ce, string says) => Assert.Contains(says, Wrong(ce: ce).Message);

    [Theory]
    [InlineData("epochs: 0", "r.yaml:6: train.epochs is '0'; it must be a whole number from 1 to 1000000")]
    [InlineData("lr: 0", "r.yaml:6: train.lr is '0'; it must be a number above 0")]
    [InlineData("lr: -0.1", "train.lr is '-0.1'")]
    [InlineData("lr: .nan", "train.lr is '.nan'")]
    [InlineData("lr: inf", "train.lr is 'inf'")]
    [InlineData("lr: 1e999", "train.lr is '1e999'")]
    [InlineData("momentum: 1", "train.momentum is '1'; it must be a number from 0 to below 1")]
    [InlineData("weight_decay: -1", "train.weight_decay is '-1'; it must be a number of at least 0")]
    [InlineData("optimizer: rmsprop", "train.optimizer is 'rmsprop'; it must be sgd or adam or adamw")]
    [InlineData(
        "optimizer: adamw, momentum: 0.9", "r.yaml:6: train.momentum is SGD's, but train.optimizer is adamw; leave one of them out")]
    [InlineData("clip: 0", "train.clip is '0'; it must be a number above 0, or null for none")]
    [InlineData("label_smoothing: 1", "train.label_smoothing is '1'; it must be a number from 0 to below 1")]
    [InlineData("nesterov: yes", "train.nesterov is 'yes'; it must be true or false")]
    [InlineData("nesterov: true, momentum: 0", "r.yaml:6: train.nesterov looks ahead along the momentum, but train.momentum is 0")]
    [InlineData("precision: fp16", "train.precision is 'fp16'; it must be auto or fp32 or bf16")]
    [InlineData("device: gpu", "train.device is 'gpu'; it must be cpu, cuda or cuda:N")]
    [InlineData("device: cuda:-5", "train.device is 'cuda:-5'; it must be cpu, cuda or cuda:N")]
    [InlineData("seed: -1", "train.seed is '-1'; it must be a whole number of at least 0")]
    [InlineData("warmup_steps: -1", "train.warmup_steps is '-1'")]
    [InlineData("warmup: 5", "train has no key 'warmup'; there are epochs, optimizer, lr, schedule, warmup_steps, ")]
    [InlineData(
        "schedule: step", "train.schedule is 'step'; it must be cosine, linear, constant or { steps: [150, 180, 210], factor: 0.1 }")]
    [InlineData("schedule: { step: [1] }", "train.schedule has no key 'step'; did you mean 'steps'?")]
    [InlineData(
        "schedule: { steps: 3 }", "train.schedule.steps is '3'; it must be a list of epochs in rising order, such as [150, 180, 210]")]
    [InlineData("schedule: { steps: [2, 1] }", "train.schedule.steps is '1'; it must be a list of epochs in rising order")]
    [InlineData("schedule: { steps: [0] }", "train.schedule.steps is '0'")]
    [InlineData("schedule: { factor: 2 }", "train.schedule.factor is '2'; it must be a number above 0 and at most 1")]
    [InlineData("keep_checkpoints: 0", "train.keep_checkpoints is '0'")]
    [InlineData("checkpoint_minutes: 0", "train.checkpoint_minutes is '0'; it must be a number above 0, or null for never")]
    [InlineData("teacher_memory: 0", "train.teacher_memory is '0'; it must be auto, off or a size such as 2 GB")]
    [InlineData("teacher_memory: 2", "train.teacher_memory is '2'; it must be auto, off or a size such as 2 GB")]
    [InlineData("teacher_memory: -1 GB", "train.teacher_memory is '-1 GB'")]
    [InlineData("teacher_memory: 0.5 B", "train.teacher_memory is '0.5 B'")]
    [InlineData("teacher_memory: 99999 TB", "train.teacher_memory is '99999 TB'")]
    public void In_train(string train, string says) => Assert.Contains(says, Wrong(train: train).Message);

    [Fact]
    public void Sections_that_contradict_each_other()
    {
        Assert.StartsWith("r.yaml:4: fsecd needs a teacher, and the recipe has none", Wrong(teacher: null).Message);
        Assert.StartsWith("r.yaml:2: the recipe has a teacher, but no method that uses one", Wrong(methods: null).Message);
        Assert.StartsWith(
            "r.yaml:5: cross-entropy has weight 0, and so has every method", Wrong(teacher: null, methods: null, ce: "weight: 0").Message);
        Assert.StartsWith(
            "r.yaml:5: cross-entropy has weight 0, and so has every method",
            Wrong(methods: "{ name: fsecd, weight: 0.0 }", ce: "weight: 0").Message);
        Assert.StartsWith("r.yaml: the recipe has no data; it needs at least data: { set: cifar100 }", Wrong(data: null).Message);
        Assert.StartsWith("r.yaml: the recipe has no student; it needs at least", Wrong(student: null).Message);
    }

    [Theory]
    [InlineData("", "r.yaml: the recipe is empty; it needs at least data: { set: cifar100 } and student: { network: resnet20 }")]
    [InlineData("# nothing\n", "r.yaml: the recipe is empty")]
    [InlineData("just words", "r.yaml:1: a recipe is keys with values, and this is 'just words'")]
    [InlineData("- a\n- b\n", "r.yaml:1: a recipe is keys with values, and this is a list")]
    [InlineData("\ndata: 3\nstudent: 4", "r.yaml:2: data is '3'; it must be keys with values, such as { set: ... }")]
    [InlineData("\n\nlr: 3", "r.yaml:3: the recipe has no section 'lr'; did you mean 'train.lr'?")]
    [InlineData("\n\nmethod: 3", "r.yaml:3: the recipe has no section 'method'; did you mean 'methods'?")]
    [InlineData(
        "data: { set: cifar100 }\nstudent: { network: resnet20 }\nmethods:\n  name: kd",
        "r.yaml:3: methods is keys with values; it must be a list")]
    [InlineData("data: &a { set: cifar100 }\nstudent: *a", "r.yaml:1: anchors (&name) are not supported here")]
    [InlineData("data: !!map { set: cifar100 }", "r.yaml:1: tags (!name) are not supported here")]
    [InlineData("data: { set: cifar100 }\ndata: { set: cifar10 }", "r.yaml:2: 'data' is given twice")]
    [InlineData("data: { set: cifar100\nstudent: 3", "not valid YAML")]
    public void Of_the_whole_file(string text, string says)
    {
        var message = Assert.Throws<UsageException>(() => Recipe.Parse(text, "r.yaml")).Message;
        Assert.StartsWith("r.yaml:", message);
        Assert.Contains(says, message);
    }

    [Fact]
    public void The_line_is_that_of_the_key()
    {
        var error =
            Assert.Throws<UsageException>(
                () => Recipe.Parse("data:\n  set: cifar100\n  root:\n\n    data\n  mean:\n    - 0.1\n    - 3\n", "r.yaml"));
        Assert.StartsWith("r.yaml:8: data.mean is '3'", error.Message);
        Assert.StartsWith("r.yaml:3: data has no key 'roott'", Assert.Throws<UsageException>(() =>
            Recipe.Parse("data:\n  set: cifar100\n  roott:\n\n    data\nstudent: { network: resnet20 }\n", "r.yaml")).Message);
    }

    [Fact]
    public void Files_that_are_no_recipe()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal($"cannot read the recipe '{folder["no.yaml"]}': the file does not exist",
            Assert.Throws<UserException>(() => Recipe.Load(folder["no.yaml"])).Message);
        Assert.Equal($"the recipe '{folder.Path}' is a folder; give a YAML file",
            Assert.Throws<UserException>(() => Recipe.Load(folder.Path)).Message);

        File.WriteAllBytes(folder["binary.yaml"], [0x80, 0x02, 0xff]);
        Assert.Equal($"{folder["binary.yaml"]}: not a text in UTF-8, and so no recipe",
            Assert.Throws<UserException>(() => Recipe.Load(folder["binary.yaml"])).Message);

        using (var large = File.Create(folder["large.yaml"])) large.SetLength(100 << 20);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal($"{folder["large.yaml"]}: larger than 1 MB, and so no recipe",
            Assert.Throws<UserException>(() => Recipe.Load(folder["large.yaml"])).Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4 << 20);
    }

    [Fact]
    public void A_file_may_begin_with_a_byte_order_mark()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["bom.yaml"], RecipeTests.Small, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Equal("resnet20", Recipe.Load(folder["bom.yaml"]).Student.Network);
    }

    [Fact]
    public void Missing_files_are_named_with_the_line()
    {
        using var folder = new TemporaryFolder();
        var text = $"data:\n  set: cifar100\n  root: {folder["data"]}\nteacher:\n  network: resnet56\n  weights: {folder["t.pth"]}\n"
            + $"student:\n  network: resnet20\n  weights: {folder["s.pth"]}\nmethods: [kd]\n";
        var recipe = Recipe.Parse(text, "r.yaml");
        Assert.StartsWith(
            $"r.yaml:3: there is no folder '{folder["data"]}' (data.root)", Assert.Throws<UserException>(recipe.CheckFiles).Message);
        Assert.StartsWith(
            $"r.yaml:3: there is no folder '{folder["data"]}' (data.root)", Assert.Throws<UserException>(() => recipe.LoadData()).Message);
        Directory.CreateDirectory(folder["data"]);
        Assert.StartsWith($"r.yaml:6: there is no file '{folder["t.pth"]}'", Assert.Throws<UserException>(recipe.CheckFiles).Message);
        File.WriteAllText(folder["t.pth"], "");
        Assert.StartsWith($"r.yaml:9: there is no file '{folder["s.pth"]}'", Assert.Throws<UserException>(recipe.CheckFiles).Message);
        File.WriteAllText(folder["s.pth"], "");
        recipe.CheckFiles();
        var given = recipe.With("teacher.weights=other.pth");
        Assert.StartsWith(
            "--set teacher.weights=other.pth: there is no file 'other.pth'", Assert.Throws<UserException>(given.CheckFiles).Message);

        // A run's folder, where its student is meant.
        given = recipe.With($"teacher.weights={folder["data"]}");
        Assert.Equal($"--set teacher.weights={folder["data"]}: '{folder["data"]}' is a folder, and a file is needed (the teacher's)",
            Assert.Throws<UserException>(given.CheckFiles).Message);
        File.WriteAllText(folder["data/student.safetensors"], "");
        Assert.EndsWith(
            $"; what a run trained is '{folder["data/student.safetensors"]}'", Assert.Throws<UserException>(given.CheckFiles).Message);
    }
}
