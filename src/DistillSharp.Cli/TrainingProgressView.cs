using System.Diagnostics;
using DistillSharp.Training;
using Spectre.Console;

namespace DistillSharp.Cli;

/// <summary>Shows training as it goes: one live line on a terminal, plain lines now and then anywhere else.</summary>
abstract class TrainingProgressView(Terminal terminal) : TrainingObserver, IProgress<WorkProgress>, IDisposable
{
    readonly TimeLeft left = new();
    readonly Stopwatch clock = Stopwatch.StartNew();

    protected Terminal Terminal { get; } = terminal;

    protected TrainingPlan Plan { get; private set; } = new(1, 1, 1, 1, Torch.Precision.Fp32, 0);

    public static TrainingProgressView For(Terminal terminal) =>
        terminal.StyledError.Profile.Capabilities.Interactive ? new LiveLine(terminal) : new PlainLines(terminal);

    public override void Started(TrainingPlan plan)
    {
        Plan = plan;
        Line($"training {plan.Parameters:N0} parameters for {plan.Epochs.Of("epoch")} of {plan.StepsPerEpoch.Of("step")}, batch "
            + $"{plan.BatchSize}, " + plan.Precision.ToString().ToLowerInvariant());
    }

    public override void EpochEnded(EpochMetrics metrics)
    {
        var terms = Terms(metrics.Terms.Select(term => (term.Key, term.Value)));
        var line = string.Create(CultureInfo.InvariantCulture,
            $"epoch {metrics.Epoch,3}/{Plan.Epochs}  loss {metrics.Loss:0.0000}{terms}  lr {metrics.Lr:0.#####}");
        line += Rate(metrics.ImagesPerSecond);
        if (metrics.TeacherRemembered is { } remembered)
            line += string.Create(CultureInfo.InvariantCulture, $"  teacher remembered {100 * remembered:0} %");
        if (metrics.Acc1 is { } acc1) line += string.Create(CultureInfo.InvariantCulture, $"  Acc1 {acc1:0.00}");
        if (metrics.Acc5 is { } acc5) line += string.Create(CultureInfo.InvariantCulture, $"  Acc5 {acc5:0.00}");
        Line(line);
    }

    public override void Said(string message) => Line(message);

    public override void Warned(string message) => Line($"warning: {message}");

    public abstract void Report(WorkProgress value);

    public virtual void Dispose() { }

    protected abstract void Line(string text);

    protected string Describe(StepReport report)
    {
        var left = (Plan.Epochs - report.Epoch + 1.0) * Plan.StepsPerEpoch - report.Batch;
        var remaining = report.ImagesPerSecond > 0 ? TimeSpan.FromSeconds(left * Plan.BatchSize / report.ImagesPerSecond) : TimeSpan.Zero;
        var line = string.Create(CultureInfo.InvariantCulture, $"epoch {report.Epoch,3}/{Plan.Epochs}  step "
            + $"{report.Batch,4}/{Plan.StepsPerEpoch}  loss {report.Loss:0.0000}{Terms(report.Terms)}  lr {report.LearningRate:0.#####}");
        return $"{line}{Rate(report.ImagesPerSecond)}  {remaining.Shown()} left";
    }

    static string Rate(double imagesPerSecond) => Figures.Rate(imagesPerSecond) is { Length: > 0 } rate ? $"  {rate} images/s" : "";

    // One term alone is the loss.
    static string Terms(IEnumerable<(string Name, double Value)> terms)
    {
        var all = terms.Select(term => string.Create(CultureInfo.InvariantCulture, $"{term.Name} {term.Value:0.000}")).ToArray();
        return all.Length < 2 ? "" : $" ({string.Join(", ", all)})";
    }

    /// <summary>Plain lines: each epoch, and a step every few seconds.</summary>
    sealed class PlainLines(Terminal terminal) : TrainingProgressView(terminal)
    {
        static readonly TimeSpan interval = TimeSpan.FromSeconds(15);

        public override void Stepped(StepReport report) => NowAndThen(() => Describe(report));

        public override void Report(WorkProgress value) => NowAndThen(() => left.Describe(value));

        void NowAndThen(Func<string> text)
        {
            if (clock.Elapsed < interval) return;
            clock.Restart();
            Line(text());
        }

        protected override void Line(string text) => Terminal.Error.WriteLine(text);
    }

    /// <summary>One line that is written over and over, the epochs' lines standing above it.</summary>
    sealed class LiveLine(Terminal terminal) : TrainingProgressView(terminal)
    {
        const string Erase = "\r\u001b[2K";
        static readonly TimeSpan interval = TimeSpan.FromMilliseconds(100);
        bool shown;

        public override void Stepped(StepReport report) => ShowNowAndThen(report.Batch, Plan.StepsPerEpoch, () => Describe(report));

        public override void Report(WorkProgress value)
        {
            // The time of other work begins now, shown or not.
            left.IsNew(value);
            ShowNowAndThen(value.Done, value.Total, () => left.Describe(value));
        }

        void ShowNowAndThen(long done, long total, Func<string> text)
        {
            if (shown && clock.Elapsed < interval) return;
            clock.Restart();
            Show(Bar(done, total) + text());
        }

        public override void Evaluating(int epoch) => Show($"epoch {epoch,3}/{Plan.Epochs}  measuring on the test images");

        public override void Dispose() => Clear();

        protected override void Line(string text)
        {
            Clear();
            Terminal.StyledError.WriteLine(text);
        }

        void Show(string text)
        {
            // A line that wraps could not be written over.
            var width = Math.Max(20, Terminal.StyledError.Profile.Width - 1);
            Terminal.Error.Write(Erase + (text.Length > width ? text[..width] : text));
            shown = true;
        }

        void Clear()
        {
            if (!shown) return;
            Terminal.Error.Write(Erase);
            shown = false;
        }

        static string Bar(long done, long total)
        {
            const int length = 16;
            var full = (int)Math.Round(length * (double)done / Math.Max(1, total));
            return $"{new string('━', full)}{new string('╌', length - full)} ";
        }
    }
}
