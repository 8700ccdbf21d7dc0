using System.Text.RegularExpressions;
using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Experiments.Measurement;
using DistillSharp.Experiments.Report;
using DistillSharp.Experiments.Runs;
using DistillSharp.Tests.Evaluation;

namespace DistillSharp.Tests.Experiments.Report;

public class RunReportTests
{
    const int Count = 120, Classes = 6;

    [BrowserFact]
    public async Task A_browser_without_a_network_shows_the_runs_and_their_pictures()
    {
        using var folder = new TemporaryFolder();
        var (teacher, student) = (Outputs(seed: 1, noise: 0.4), Outputs(seed: 2, noise: 2.5));
        var file = folder["report.html"];
        new RunReport
        {
            Runs = [new(Run(folder, "good-s1", 61.25)) { Teacher = teacher, Student = student },
                new(Run(folder, "plain-s1", 60.5)) { Missing = "it has no weights yet" }],
            Images = Images.Random(Count, Classes),
        }.Save(file);

        await using var browser = await Browser.Start();
        var page = browser.Page;
        await page.GotoAsync("file://" + file);
        Assert.Empty(browser.Complaints);

        Assert.Equal("61.25", await page.TextContentAsync("tr[data-run='good-s1'] td[data-column=Acc1]"));
        Assert.Equal("60.50", await page.TextContentAsync("tr[data-run='plain-s1'] td[data-column=Acc1]"));
        Assert.Equal($"{100.0 * student.Correct / Count:F2} %", await page.TextContentAsync(".figure b"));
        Assert.Contains("it has no weights yet", await page.TextContentAsync("#runs"));
        Assert.Equal(2, await page.Locator("#maps canvas").CountAsync());
        Assert.Equal(Classes, await page.Locator(".classrow").CountAsync());
        // Three epochs of each run.
        Assert.Equal("6", await page.GetAttributeAsync(".curve", "data-points"));
        Assert.True(await page.Locator(".example").CountAsync() > 3);
        var painted = await page.EvaluateAsync<bool>(
            "() => [...document.querySelectorAll('canvas')].every(c => new Set(c.getContext('2d').getImageData(0, 0, c.width, "
            + "c.height).data).size > 8)");
        Assert.True(painted, "every canvas shows something");

        await Hover(page);
        Assert.Contains("class ", await page.TextContentAsync("#tip b"));
        Assert.StartsWith(
            "url(\"data:image/png;base64,",
            await page.EvaluateAsync<string>("() => getComputedStyle(document.querySelector('#tip .tile')).backgroundImage"));
        Assert.True(
            await page.EvaluateAsync<bool>(
                "async () => { const i = new Image(); i.src = data.points.sheet.source; await i.decode(); return i.width >= 32 * "
                + "data.points.sheet.columns; }"));

        foreach (var button in await page.Locator(".buttons button, #theme").AllAsync()) await button.ClickAsync();
        Assert.Contains("dark", await page.GetAttributeAsync("html", "class"));
        Assert.Empty(browser.Complaints);
    }

    [BrowserFact]
    public async Task Curves_are_read_by_the_keyboard_and_as_a_table_and_rows_are_sorted_by_their_heads()
    {
        using var folder = new TemporaryFolder();
        new RunReport { Runs = [new(Run(folder, "good-s1", 61.25)), new(Run(folder, "better-s1", 70.5))] }.Save(folder["report.html"]);
        await using var browser = await Browser.Start();
        var page = browser.Page;
        await page.GotoAsync("file://" + folder["report.html"]);

        await page.FocusAsync(".curve");
        await page.Keyboard.PressAsync("ArrowRight");
        Assert.StartsWith("epoch 1", await page.TextContentAsync("#tip"));
        await page.Keyboard.PressAsync("ArrowRight");
        Assert.StartsWith("epoch 2", await page.TextContentAsync("#tip"));
        Assert.Contains("51.25", await page.TextContentAsync("#tip"));
        await page.Keyboard.PressAsync("Escape");
        Assert.False(await page.IsVisibleAsync("#tip"));

        await page.ClickAsync(".values summary");
        Assert.Equal(["3", "61.25", "70.50"], await page.Locator(".values tbody tr:last-child td").AllTextContentsAsync());

        await page.ClickAsync("th:nth-child(7) .sort");
        Assert.Equal("better-s1", await page.TextContentAsync("tbody tr:first-child a"));
        await page.ClickAsync("th:nth-child(7) .sort");
        Assert.Equal("good-s1", await page.TextContentAsync("tbody tr:first-child a"));
        Assert.Equal("ascending", await page.GetAttributeAsync("th:nth-child(7)", "aria-sort"));
        Assert.Empty(browser.Complaints);
    }

    [BrowserFact]
    public async Task Runs_that_have_only_begun_make_a_page_too()
    {
        using var folder = new TemporaryFolder();
        using var root =
            RunFolder.Create(folder["runs"], Sample.Manifest("begun"), "# </script><script>throw 1</script>\n" + Sample.Recipe);
        new RunReport { Title = "a < b & </title>", Runs = [new(RunReader.Load(root.Path))] }.Save(folder["report.html"]);

        await using var browser = await Browser.Start(Microsoft.Playwright.ColorScheme.Dark);
        await browser.Page.GotoAsync("file://" + folder["report.html"]);
        Assert.Equal("a < b & </title>", await browser.Page.TitleAsync());
        Assert.Equal("a < b & </title>", await browser.Page.TextContentAsync("h1"));
        Assert.Contains("throw 1</script>", await browser.Page.TextContentAsync("#recipes pre"));
        Assert.Contains("No epoch has ended yet", await browser.Page.TextContentAsync("#curves"));
        Assert.Equal(0, await browser.Page.Locator("canvas").CountAsync());
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public void The_page_names_no_network()
    {
        using var folder = new TemporaryFolder();
        var mute = new NetworkOutputs(Outputs(3, 1).Logits.ToArray(), [], Outputs(3, 1).Labels.ToArray());
        var page =
            new RunReport
            {
                Runs = [new(Run(folder, "one", 50)) { Student = Outputs(1, 1), Teacher = mute }],
                Images = Images.Random(Count, Classes)
            }.Build();
        Assert.DoesNotMatch(new Regex("""(src|href)=["']?(https?:)?//"""), page);
        Assert.DoesNotContain("{{", page);
        Assert.Contains("Content-Security-Policy", page);
    }

    [Fact]
    public void Outputs_for_other_images_are_refused()
    {
        using var folder = new TemporaryFolder();
        var run = new MeasuredRun(Run(folder, "one", 50)) { Student = Outputs(1, 1) };
        Assert.Throws<ArgumentException>(() => new RunReport { Runs = [run] }.Build());
        Assert.Throws<ArgumentException>(() => new RunReport { Runs = [run], Images = Images.Random(Count + 1, Classes) }.Build());
        Assert.Throws<ArgumentException>(() => new RunReport { Runs = [] }.Build());
    }

    [Fact]
    public void A_sheet_holds_each_picture_in_its_place_and_large_ones_made_smaller()
    {
        var pixels = new byte[3 * 4 * 8];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(i / 32 * 50 + (i % 8 < 4 ? 0 : 10));
        var sheet = SpriteSheet.Of(new(pixels, 4, 8, 1, [0, 0, 0], ["only"]), [2, 0, 1], 4);
        Assert.Equal((2, 4, 2), (sheet.Columns, sheet.Width, sheet.Height));
        const string head = "data:image/png;base64,";
        Assert.StartsWith(head + "iVBORw0KGgo", sheet.Source);
        var png = ImageFiles.Decode(Convert.FromBase64String(sheet.Source[head.Length..]), "sheet");
        Assert.Equal((4, 8), (png.Height, png.Width));
        // Each picture's left and right edge; the place without a picture is black.
        int At(int y, int x) => png.Pixels[(y * 8 + x) * 3];
        Assert.Equal([100, 110, 0, 10], [At(0, 0), At(0, 3), At(1, 4), At(1, 7)]);
        Assert.Equal([50, 60, 0, 0], [At(2, 0), At(2, 3), At(3, 4), At(3, 7)]);
        Assert.Equal(At(0, 3), png.Pixels[3 * 3 + 2]);
    }

    static async Task Hover(Microsoft.Playwright.IPage page)
    {
        var canvas = page.Locator("#maps canvas").First;
        await canvas.ScrollIntoViewIfNeededAsync();
        var box = (await canvas.BoundingBoxAsync())!;
        // The pointer's place is a drawn point's.
        var place = await page.EvaluateAsync<float[]>("""
            () => { const m = data.networks[0].map, w = document.querySelector('#maps canvas').clientWidth;
              const [a, b, c, d] = [Math.min(...m.x), Math.max(...m.x), Math.min(...m.y), Math.max(...m.y)], s = Math.max(b - a, d - c);
              return [w / 2 + (m.x[5] - (a + b) / 2) / s * (w - 32), w / 2 - (m.y[5] - (c + d) / 2) / s * (w - 32)]; }
            """);
        await page.Mouse.MoveAsync(box.X + place[0], box.Y + place[1]);
        await page.WaitForSelectorAsync("#tip:not([hidden])");
    }

    static RunReader Run(TemporaryFolder folder, string name, double acc1)
    {
        using var run = RunFolder.Create(folder["runs"], Sample.Manifest(name), Sample.Recipe);
        for (var epoch = 1; epoch <= 3; epoch++) run.Metrics.Append(Sample.Epoch(epoch, epoch == 3 ? acc1 : acc1 - 10));
        run.SetState(RunState.Finished);
        return RunReader.Load(run.Path);
    }

    static NetworkOutputs Outputs(int seed, double noise)
    {
        var random = new Random(seed);
        var labels = Enumerable.Range(0, Count).Select(i => i % Classes).ToArray();
        float Value(int i, int k) => (float)((labels[i] == k ? 3 : 0) + noise * (random.NextDouble() + random.NextDouble() - 1) * 3);
        float[] Rows(int width) => [.. Enumerable.Range(0, Count * width).Select(at => Value(at / width, at % width))];
        return new(Rows(Classes), Rows(8), labels);
    }
}
