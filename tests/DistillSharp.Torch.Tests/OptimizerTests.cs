using System.Text.Json;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Torch.Tests;

public class OptimizerTests
{
    const int StepsPerEpoch = 10;

    [Theory]
    [InlineData(0.0, 0.0, false)]
    [InlineData(0.9, 0.0, false)]
    [InlineData(0.9, 5e-4, false)]
    [InlineData(0.9, 5e-4, true)]
    public void Sgd_moves_as_its_formula_says(double momentum, double decay, bool nesterov)
    {
        using var scope = TensorScope.Open();
        var p = Tensor.From([1f, -2f, 3f]);
        p.RequiresGrad = true;
        var idle = Tensor.Ones([2]);
        idle.RequiresGrad = true;
        using var optimizer = new Sgd([p, idle], momentum, decay, nesterov);
        double[] expected = [1, -2, 3], velocity = [0, 0, 0];

        for (var step = 0; step < 4; step++)
        {
            var rate = 0.1 / (step + 1);
            optimizer.ZeroGrad();
            (p * p).Sum().Backward();
            optimizer.Step(rate);
            for (var i = 0; i < 3; i++)
            {
                var g = 2 * expected[i] + decay * expected[i];
                velocity[i] = momentum * velocity[i] + g;
                expected[i] -= rate * (nesterov ? g + momentum * velocity[i] : velocity[i]);
            }
            var actual = p.ToArray<double>();
            for (var i = 0; i < 3; i++) Assert.Equal(expected[i], actual[i], 1e-5);
        }
        Assert.Equal([1f, 1f], idle.ToArray<float>());
        Assert.Null(optimizer.States[0].Values[1]);
    }

    public static TheoryData<string> OfPyTorch => [.. Fixture.EnumerateObject().Select(entry => entry.Name)];

    static JsonElement Fixture { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures/optimizers.json"))).RootElement;

    static Optimizer Make(string name, params Tensor[] parameters) => name switch
    {
        "sgd" => new Sgd(parameters, weightDecay: 0.01),
        "sgd-nesterov-clipped" => new Sgd(parameters, weightDecay: 0.01, nesterov: true),
        "sgd-no-vectors" => new Sgd(parameters, weightDecay: 0.1, decayVectors: false),
        "adam" => new Adam(parameters),
        "adam-decay" => new Adam(parameters, 0.8, 0.95, 1e-3, weightDecay: 0.1),
        "adamw" => new Adam(parameters, weightDecay: 0.1, decoupled: true),
        _ => new Adam(parameters, weightDecay: 0.1, decoupled: true, decayVectors: false),
    };

    // The problem of Fixtures/make_optimizers.py. In the middle the optimizer's state goes into another, as when a run is resumed.
    [Theory, MemberData(nameof(OfPyTorch))]
    public void It_takes_the_steps_of_PyTorch(string name)
    {
        using var scope = TensorScope.Open();
        var W = Tensor.From([1, -2, 3, 0.5, 0.25, -1.5], 2, 3);
        var b = Tensor.From([0.1, -0.2, 2]);
        (W.RequiresGrad, b.RequiresGrad) = (true, true);
        var (aW, ab) = (Tensor.From([1, 2, 0.5, 3, 1, 0.1], 2, 3), Tensor.From([2, 0.7, 1]));
        var (steps, lengths) = (Fixture.GetProperty(name).GetProperty("steps"), Fixture.GetProperty(name).GetProperty("lengths"));
        var optimizer = Make(name, W, b);
        for (var k = 0; k < steps.GetArrayLength(); k++)
        {
            if (k == 4)
            {
                var next = Make(name, W, b);
                foreach (var (from, to) in optimizer.States.Zip(next.States))
                    for (var i = 0; i < 2; i++)
                        next.SetState(to, i, from.Values[i]!);
                optimizer.Dispose();
                optimizer = next;
            }
            optimizer.ZeroGrad();
            var loss = (aW * (W - 0.3).Pow(2)).Sum() * 0.5;
            if (k % 3 != 2) loss += (ab * (b + 0.4).Pow(2)).Sum() * 0.5;
            loss.Backward();
            if (lengths.GetArrayLength() > 0)
                Assert.Equal(
                    lengths[k].GetDouble(), optimizer.ClipGradients(name.StartsWith("sgd", StringComparison.Ordinal) ? 1 : 0.5), 1e-9);
            optimizer.Step(0.1 / (k + 1));

            foreach (var (parameter, key) in new[] { (W, "W"), (b, "b") })
            {
                var expected = steps[k].GetProperty(key).EnumerateArray().Select(value => value.GetDouble());
                foreach (var (value, actual) in expected.Zip(parameter.ToArray<double>())) Assert.Equal(value, actual, 1e-9);
            }
        }
        optimizer.Dispose();
    }

    [Fact]
    public void Steps_fall_after_their_epochs()
    {
        var schedule = new MultiStepSchedule { BaseRate = 0.05, Milestones = [150, 180, 210], Gamma = 0.1 };
        Assert.Equal(0.05, At(schedule, epoch: 150, batch: 9, epochs: 240), 1e-12);
        Assert.Equal(0.005, At(schedule, epoch: 151, batch: 0, epochs: 240), 1e-12);
        Assert.Equal(0.0005, At(schedule, epoch: 181, batch: 0, epochs: 240), 1e-12);
        Assert.Equal(0.00005, At(schedule, epoch: 240, batch: 9, epochs: 240), 1e-12);
    }

    [Fact]
    public void Cosine_and_linear_reach_their_middle_and_their_end()
    {
        foreach (var schedule in new LearningRateSchedule[] { new CosineSchedule { BaseRate = 1 }, new LinearSchedule { BaseRate = 1 } })
        {
            Assert.Equal(1, schedule.At(new(0, StepsPerEpoch, 10)), 1e-12);
            Assert.Equal(0.5, schedule.At(new(50, StepsPerEpoch, 10)), 1e-12);
            Assert.Equal(0, schedule.At(new(100, StepsPerEpoch, 10)), 1e-12);
        }
        Assert.Equal(Math.Cos(Math.PI * 0.3) / 2 + 0.5, new CosineSchedule { BaseRate = 1 }.At(new(30, StepsPerEpoch, 10)), 1e-12);
    }

    [Fact]
    public void A_warm_up_rises_to_the_base_rate_and_then_gives_way()
    {
        var schedule = new LinearSchedule { BaseRate = 1, WarmupSteps = 4 };
        double[] rates = [.. Enumerable.Range(0, 6).Select(step => schedule.At(new(step, StepsPerEpoch, 10)))];
        Assert.Equal([0.2, 0.4, 0.6, 0.8, 1.0], rates[..5].Select(rate => Math.Round(rate, 12)));
        Assert.Equal(1 - 1.0 / 96, rates[5], 1e-12);
    }

    [Fact]
    public void Initial_values_have_the_deviation_that_their_rule_states()
    {
        using var scope = TensorScope.Open();
        Runtime.Seed(11);
        var normal = Initialize.KaimingNormalFanOut(Tensor.Empty([64, 32, 3, 3])).ToArray<double>();
        Assert.Equal(Math.Sqrt(2.0 / (64 * 9)), Math.Sqrt(normal.Average(value => value * value)), 1e-3);
        var uniform = Initialize.KaimingUniform(Tensor.Empty([100, 64])).ToArray<double>();
        Assert.InRange(uniform.Max(), 0.124, 0.125);
        Assert.InRange(uniform.Min(), -0.125, -0.124);
    }

    static double At(LearningRateSchedule schedule, int epoch, int batch, int epochs) =>
        schedule.At(new((epoch - 1L) * StepsPerEpoch + batch, StepsPerEpoch, epochs));
}
