using DistillSharp.Experiments.Plots;

namespace DistillSharp.Tests.Experiments.Plots;

public class PlotTests
{
    static string[] Names(int count) => [.. Enumerable.Range(0, count).Select(i => $"some_class_{i}")];

    static LineSeries Line(string name, params double[] y) => new(name, [.. Enumerable.Range(1, y.Length).Select(e => (double)e)], y);

    static LineChart Chart(params LineSeries[] series) =>
        new() { Title = "A title", XLabel = "epoch", YLabel = "test Acc1 (%)", Series = series };

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(60)]
    public void A_chart_has_axes_and_a_legend_outside_the_data(int count)
    {
        var figure =
            Chart([.. Enumerable.Range(0, count)
                .Select(i => Line($"resnet56-resnet20-a-rather-long-method-name-s{i}", 10 + i, 40 + i, 70 + i / 2.0))]).Draw();
        Layout.Check(figure);
        Assert.Equal(count, Layout.All(figure, "polyline").Count);
        var texts = Layout.Texts(figure);
        Assert.Contains(texts, t => t.Text == "epoch");
        Assert.Contains(texts, t => t.Text == "test Acc1 (%)");
        var right =
            Layout.All(figure, "polyline").SelectMany(p => p.Attribute("points")!.Value.Split(' ')).Max(p => double.Parse(p.Split(',')[0]));
        var legend = texts.Where(t => t.Text.StartsWith("resnet56", StringComparison.Ordinal)).ToList();
        Assert.Equal(count, legend.Count);
        Assert.All(legend, t => Assert.True(t.Left > right + 10));
    }

    [Fact]
    public void Values_stand_where_the_ticks_say()
    {
        var figure = Chart(Line("a", 0, 50, 100)).Draw();
        var ticks = Layout.Texts(figure);
        double MiddleOf(string text) => ticks.Where(t => t.Text == text).Select(t => (t.Top + t.Bottom) / 2).Min();
        var points =
            Layout.All(figure, "polyline").Single().Attribute("points")!.Value.Split(' ')
                .Select(p => p.Split(',').Select(double.Parse).ToArray()).ToArray();
        Assert.Equal(MiddleOf("0"), points[0][1], 1.5);
        Assert.Equal(MiddleOf("100"), points[2][1], 1.5);
        Assert.Equal((points[0][1] + points[2][1]) / 2, points[1][1], 1);
        Assert.Equal((points[0][0] + points[2][0]) / 2, points[1][0], 1);
    }

    [Fact]
    public void Gaps_stay_gaps_and_lone_values_are_dots()
    {
        var figure = Chart(Line("a", 1, 2, double.NaN, 4, 5), Line("b", 3), Line("c", double.NaN)).Draw();
        Layout.Check(figure);
        Assert.Equal(2, Layout.All(figure, "polyline").Count);
        Assert.Single(Layout.All(figure, "path").Concat(Layout.All(figure, "circle")));
    }

    [Fact]
    public void What_is_measured_every_few_epochs_shows_where_on_an_axis_from_0()
    {
        var figure = Chart(new LineSeries("a", [6, 12, 18, 24], [36, 60, 74, 79])).Draw();
        Layout.Check(figure);
        Assert.Single(Layout.All(figure, "polyline"));
        // One more in the legend.
        Assert.Equal(5, Layout.All(figure, "circle").Count);
        Assert.Equal(
            ["0", "5", "10", "15", "20"],
            Layout.Texts(figure).Select(text => text.Text).Where(text => text is "0" or "5" or "10" or "15" or "20"));
        Assert.DoesNotContain(Layout.Texts(Chart(new LineSeries("a", [20, 21, 22], [1, 2, 3])).Draw()), text => text.Text == "0");
    }

    [Fact]
    public void Lines_differ_in_color_and_dash()
    {
        var figure = Chart([.. Enumerable.Range(0, 40).Select(i => Line($"run {i}", i, i + 1))]).Draw();
        var looks =
            Layout.All(figure, "polyline").Select(p => (p.Attribute("stroke")!.Value, p.Attribute("stroke-dasharray")?.Value)).ToList();
        Assert.Equal(40, looks.Distinct().Count());
        Assert.Equal(7, looks.Take(7).Select(l => l.Item1).Distinct().Count());
    }

    [Fact]
    public void Nothing_to_draw_is_said()
    {
        Assert.Contains("test Acc1 (%)", Assert.Throws<UserException>(() => Chart().Draw()).Message);
        Assert.Throws<UserException>(() => Chart(Line("a", double.NaN)).Draw());
        Assert.Throws<ArgumentException>(() => Chart(new LineSeries("a", [1, 2], [1])).Draw());
        Assert.Throws<UsageException>(() => (Chart(Line("a", 1)) with { YRange = (5, 5) }).Draw());
    }

    [Theory]
    [InlineData(0, 80, 7, "0,20,40,60,80")]
    [InlineData(0.001, 0.05, 7, "0.01,0.02,0.03,0.04,0.05")]
    [InlineData(-0.42, 0.42, 8, "−0.4,−0.2,0.0,0.2,0.4")]
    [InlineData(4.9e-5, 5.1e-5, 4, "4.90e−5,4.95e−5,5.00e−5,5.05e−5,5.10e−5")]
    [InlineData(0, 3e7, 3, "0e0,1e7,2e7,3e7")]
    [InlineData(99.5, 101, 3, "99.5,100.0,100.5,101.0")]
    public void Ticks_are_round(double low, double high, int wanted, string labels) =>
        Assert.Equal(labels, string.Join(',', Ticks.Within(low, high, wanted).Labels));

    [Fact]
    public void Epochs_have_whole_ticks() => Assert.Equal(["1", "2", "3"], Ticks.Within(1, 3, 8, whole: true).Labels);

    [Fact]
    public void Curves_take_their_numbers_from_the_metrics()
    {
        var epochs = new[] { Sample.Epoch(1, 40), Sample.Epoch(2) with { Acc1 = null }, Sample.Epoch(3, 60) };
        var chart = TrainingCurves.Of([("a run", epochs)], CurveMetric.Acc1);
        Assert.Equal([1, 3], Assert.Single(chart.Series).X);
        Assert.Equal([40, 60], chart.Series[0].Y);
        Assert.Equal([3.5, 1.75, 3.5 / 3], TrainingCurves.Of([("a run", epochs)], CurveMetric.Loss).Series[0].Y);
        Layout.Check(chart.Draw());
    }

    static ScatterPanel Cloud(string title, int points, int classes)
    {
        var random = new Random(points);
        var labels = Enumerable.Range(0, points).Select(i => i % classes).ToArray();
        return new(
            title, [.. labels.Select(_ => random.NextSingle() * 50)], [.. labels.Select(_ => random.NextSingle() * 30 - 90)], labels);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(20)]
    [InlineData(100)]
    public void A_scatter_plot_shows_every_point_and_names_every_class_once(int classes)
    {
        var figure =
            new ScatterPlot
            {
                Title = "t-SNE", Panels = [Cloud("teacher", 2000, classes), Cloud("student", 1500, classes)],
                ClassNames = Names(classes)
            }.Draw();
        Layout.Check(figure);
        Assert.Equal(3500 + classes, Layout.All(figure, "circle").Count + Layout.All(figure, "path").Count);
        Assert.All(Names(classes), n => Assert.Single(Layout.Texts(figure), t => t.Text == n));
        Assert.Equal(classes, Enumerable.Range(0, classes).Select(c => Palette.Class(c, classes)).Distinct().Count());
    }

    [Fact]
    public void Distances_are_equally_scaled_and_up_is_up()
    {
        var figure = new ScatterPlot { Panels = [new("p", [0, 10, 0], [0, 0, 10], [0, 0, 0])], ClassNames = ["a"] }.Draw();
        var at = Layout.All(figure, "circle").Take(3).Select(c => (X: Layout.Number(c, "cx"), Y: Layout.Number(c, "cy"))).ToList();
        Assert.Equal(at[1].X - at[0].X, at[0].Y - at[2].Y, 1);
        Assert.True(at[2].Y < at[0].Y);
    }

    [Fact]
    public void Tooltips_are_escaped_and_missing_points_left_out()
    {
        var figure = new ScatterPlot
        {
            Panels = [new("p", [0, 1, float.NaN], [0, 1, 2], [0, 1, 0]) { Tooltips = ["<b> & \"cat\"", "dog\u0001", "never"] }],
            ClassNames = ["a & b", "c<d"],
        }.Draw();
        Assert.Equal(["<b> & \"cat\"", "dog "], Layout.All(figure, "title").Select(t => t.Value));
        Assert.Contains(Layout.Texts(figure), t => t.Text == "c<d");
    }

    [Fact]
    public void Arrays_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ScatterPlot { Panels = [new("p", [0], [0, 1], [0])], ClassNames = ["a"] }.Draw());
        Assert.Throws<ArgumentException>(() => new ScatterPlot { Panels = [new("p", [0], [0], [1])], ClassNames = ["a"] }.Draw());
        Assert.Throws<ArgumentException>(() => new HeatMap { Panels = [], ValueLabel = "v" }.Draw());
        Assert.Throws<ArgumentException>(() => new ConfusionMatrix { Counts = new long[2, 3], ClassNames = [] }.Draw());
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(20, 2)]
    [InlineData(100, 3)]
    public void A_heat_map_has_labels_and_a_color_bar_to_one_scale(int classes, int panels)
    {
        var values = new double[classes, classes];
        (values[0, 1], values[1, 0], values[2, 2]) = (-0.8, 0.4, double.NaN);
        var figure = new HeatMap
        {
            Title = "Correlation", ValueLabel = "difference", Names = Names(classes),
            Panels = [.. Enumerable.Range(0, panels).Select(i => new HeatMapPanel($"method {i}", values))],
        }.Draw();
        Layout.Check(figure);
        Assert.Contains(Layout.Texts(figure), t => t.Text == "−0.8");
        Assert.Contains(Layout.Texts(figure), t => t.Text == "difference");
        Assert.Equal(Palette.Diverging(-1), Layout.All(figure, "rect").Skip(2).First().Attribute("fill")!.Value);
        Assert.Equal(
            classes <= 20 ? classes * (1 + panels)
            : 0, Layout.Texts(figure).Count(t => t.Text.StartsWith("some_class", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_diverging_map_is_symmetrical_in_brightness_and_white_in_the_middle()
    {
        Assert.Equal("#F7F7F7", Palette.Diverging(0));
        foreach (var at in (double[])[0.2, 0.5, 0.9])
            Assert.Equal(Palette.IsDark(Palette.Diverging(at)), Palette.IsDark(Palette.Diverging(-at)));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(20)]
    [InlineData(100)]
    public void A_confusion_matrix_has_every_true_class_as_a_row_of_a_hundred_per_cent(int classes)
    {
        var counts = new long[classes, classes];
        for (var i = 0; i < classes; i++) (counts[i, i], counts[i, (i + 1) % classes]) = (900, 100 + i % 7);
        var figure = new ConfusionMatrix { Title = "Confusion", Counts = counts, ClassNames = Names(classes) }.Draw();
        Layout.Check(figure);
        var texts = Layout.Texts(figure);
        Assert.Contains(texts, t => t.Text == "predicted class");
        Assert.Contains(texts, t => t.Text == "true class");
        if (classes <= 20) Assert.Equal(classes, texts.Count(t => t.Text is "90" or "89"));
    }

    [Fact]
    public void A_class_without_images_is_gray_and_long_names_are_cut_in_the_middle()
    {
        var figure = new ConfusionMatrix { Counts = new long[,] { { 1, 0 }, { 0, 0 } }, ClassNames = ["a", new string('w', 80)] }.Draw();
        Layout.Check(figure);
        Assert.Contains(Layout.All(figure, "rect"), r => r.Attribute("fill")!.Value == "#BBBBBB");
        Assert.Contains(Layout.Texts(figure), t => t.Text.Contains('…'));
    }
}
