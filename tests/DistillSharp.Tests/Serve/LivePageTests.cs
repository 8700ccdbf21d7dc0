using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;
using DistillSharp.Serve;
using DistillSharp.Tests.Experiments;
using DistillSharp.Tests.Experiments.Report;
using Microsoft.Playwright;

namespace DistillSharp.Tests.Serve;

public sealed class LivePageTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    string Root => folder["runs"];

    public void Dispose() => folder.Dispose();

    [BrowserFact]
    public async Task A_run_that_trains_appears_and_its_curve_grows()
    {
        await using var server = await Serve();
        await using var browser = await Browser.Start(server: server.Address);
        var page = browser.Page;
        await page.GotoAsync(server.Address);
        await Assertions.Expect(page.Locator("#count")).ToContainTextAsync("No run yet");

        using var run = RunFolder.Create(Root, Sample.Manifest("live-s1"), Sample.Recipe);
        run.Metrics.Append(Sample.Epoch(1, 40));
        await Assertions.Expect(page.Locator("tr[data-run=live-s1] td[data-column=state]")).ToHaveTextAsync("running");
        await Assertions.Expect(page.Locator("tr[data-run=live-s1] td[data-column=epochs]")).ToHaveTextAsync("1 of 3");

        await page.ClickAsync("tr[data-run=live-s1] a");
        await Assertions.Expect(page.Locator(".curve")).ToHaveAttributeAsync("data-points", "1");
        Assert.Equal("live-s1 · DistillSharp", await page.TitleAsync());
        Assert.Contains("resnet20", await page.TextContentAsync("#recipes pre"));
        var before = await Ink(page);

        File.AppendAllText(Path.Combine(run.Path, RunFiles.Log), "epoch 2 ended\n");
        run.Metrics.Append(Sample.Epoch(2, 55));
        await Assertions.Expect(page.Locator(".curve")).ToHaveAttributeAsync("data-points", "2");
        await Assertions.Expect(page.Locator("#runs td[data-column=Acc1]")).ToHaveTextAsync("55.00");
        await Assertions.Expect(page.Locator("#runs .going")).ToContainTextAsync("epoch 2 of 3");
        await Assertions.Expect(page.Locator(".log")).ToContainTextAsync("epoch 2 ended");
        Assert.NotEqual(before, await Ink(page));

        // Going on from an earlier checkpoint trains the epoch anew: the page forgets what it knew.
        run.Metrics.ContinueAfter(1);
        run.Metrics.Append(Sample.Epoch(2, 56) with { Seconds = 70 });
        run.Metrics.Append(Sample.Epoch(3, 60));
        run.SetState(RunState.Finished);
        await Assertions.Expect(page.Locator(".curve")).ToHaveAttributeAsync("data-points", "3");
        await Assertions.Expect(page.Locator("#runs td[data-column=state]")).ToHaveTextAsync("finished");
        Assert.Equal("[40,56,60]", await page.EvaluateAsync<string>("JSON.stringify(data.runs[0].curves.acc1)"));
        Assert.Empty(browser.Complaints);
    }

    // Its process writes no last word.
    [BrowserFact]
    public async Task A_run_whose_process_is_gone_is_shown_as_interrupted()
    {
        using var run = RunFolder.Create(Root, Sample.Manifest("killed-s1"), Sample.Recipe);
        await using var server = await Serve();
        await using var browser = await Browser.Start(server: server.Address);
        await browser.Page.GotoAsync(server.Address);
        var state = browser.Page.Locator("tr[data-run=killed-s1] td[data-column=state]");
        await Assertions.Expect(state).ToHaveTextAsync("running");
        run.Dispose();
        await Assertions.Expect(state).ToHaveTextAsync("interrupted", new() { Timeout = 15_000 });
    }

    [BrowserFact]
    public async Task Runs_are_laid_side_by_side()
    {
        ManyRuns.Add(Root, "one-s1", "kd", acc1: 61.25);
        ManyRuns.Add(Root, "two-s1", "fsecd", acc1: 70.5);
        await using var server = await Serve();
        await using var browser = await Browser.Start(ColorScheme.Dark, server.Address);
        var page = browser.Page;
        await page.GotoAsync(server.Address);
        await page.CheckAsync("tr[data-run=one-s1] input");
        await page.CheckAsync("tr[data-run=two-s1] input");
        await page.ClickAsync("#compare");
        await Assertions.Expect(page.Locator("#differences td")).ToHaveTextAsync(["kd", "fsecd"]);
        await Assertions.Expect(page.Locator(".curve")).ToHaveAttributeAsync("data-points", "6");
        Assert.Equal(["61.25", "70.50"], await page.Locator("#runs td[data-column=Acc1]").AllTextContentsAsync());
        Assert.Contains("dark", await page.GetAttributeAsync("html", "class"));
        await page.GoBackAsync();
        await Assertions.Expect(page.Locator("#compare")).ToHaveTextAsync("compare 2 runs");
        Assert.Empty(browser.Complaints);
    }

    [BrowserFact]
    public async Task Folders_that_are_broken_or_foreign_take_nothing_down()
    {
        ManyRuns.Add(Root, "good-s1");
        File.WriteAllText(Path.Combine(ManyRuns.Add(Root, "half-s1"), RunFiles.Manifest), "{\"name\": \"ha");
        File.Delete(Path.Combine(ManyRuns.Add(Root, "bare-s1"), RunFiles.Recipe));
        File.WriteAllText(Path.Combine(ManyRuns.Add(Root, "yaml-s1"), RunFiles.Recipe), "a: [b: {");
        File.WriteAllBytes(Path.Combine(ManyRuns.Add(Root, "noise-s1"), RunFiles.Metrics), [0, 255, 10, 123, 34, 10]);
        Directory.CreateDirectory(Path.Combine(Root, "folder-s1", RunFiles.Manifest));
        File.WriteAllText(
            Path.Combine(Directory.CreateDirectory(Path.Combine(Root, "foreign <b>name")).FullName, RunFiles.Manifest), "[1, 2]");
        File.WriteAllText(Path.Combine(Root, "runs.db"), "this is no registry");
        File.WriteAllText(
            Path.Combine(Directory.CreateDirectory(Path.Combine(Root, TrainingProcess.FolderName)).FullName, "x.sweep.json"),
            "{\"name\":null}");

        await using var server = await Serve();
        await using var browser = await Browser.Start(server: server.Address);
        var page = browser.Page;
        await page.GotoAsync(server.Address);
        await Assertions.Expect(page.Locator("tbody tr")).ToHaveCountAsync(2);
        await Assertions.Expect(page.Locator("tr[data-run=good-s1] td[data-column=Acc1]")).ToHaveTextAsync("70.00");
        await Assertions.Expect(page.Locator("tr[data-run=noise-s1] td[data-column=epochs]")).ToHaveTextAsync("0 of 3");
        // The registry, and four folders.
        await Assertions.Expect(page.Locator("#runs li")).ToHaveCountAsync(5);

        await page.GotoAsync(server.Address + "#/compare/half-s1/noise-s1/nobody/good-s1");
        await Assertions.Expect(page.Locator("main > .note")).ToHaveCountAsync(2);
        await Assertions.Expect(page.Locator(".curve")).ToHaveAttributeAsync("data-points", "3");
        await Assertions.Expect(page.Locator("#differences")).ToContainTextAsync("Their settings are the same");
        // What was half-written is whole in the end.
        await page.GotoAsync(server.Address + "#/run/half-s1");
        await Assertions.Expect(page.Locator(".note")).ToContainTextAsync("half-s1");
        File.Copy(Path.Combine(Root, "good-s1", RunFiles.Manifest), Path.Combine(Root, "half-s1", RunFiles.Manifest), overwrite: true);
        await Assertions.Expect(page.Locator(".curve")).ToHaveAttributeAsync("data-points", "3");
        Assert.DoesNotContain(browser.Complaints, complaint => !complaint.Contains("400"));
    }

    [BrowserFact]
    public async Task A_sweep_is_a_matrix_of_what_is_done_and_what_is_to_come()
    {
        var sweep = Sweep.Parse("""
            pairs: [resnet56-resnet20]
            methods: [ce, kd]
            seeds: [1, 2]
            set: { data.set: cifar100 }
            """);
        SweepRecord.Of("tables/small.yaml", sweep).Save(Root);
        var (done, failed) = (sweep.Runs[0], sweep.Runs[2]);
        using (var run = RunFolder.Create(Root, RunManifest.Of(done.Recipe, done.Name), done.RecipeText))
        {
            run.Metrics.Append(Sample.Epoch(1, 63.5));
            run.SetState(RunState.Finished);
        }
        using (var run = RunFolder.Create(Root, RunManifest.Of(failed.Recipe, failed.Name), failed.RecipeText))
            run.SetState(RunState.Failed, "no memory");

        await using var server = await Serve();
        await using var browser = await Browser.Start(server: server.Address);
        var page = browser.Page;
        await page.GotoAsync(server.Address + "#/sweeps");
        await Assertions.Expect(page.Locator("h2")).ToHaveTextAsync("small");
        await Assertions.Expect(page.Locator(".sweep tbody th")).ToHaveTextAsync("resnet56 → resnet20");
        await Assertions.Expect(page.Locator(".sweep .finished")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator(".sweep .failed")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator(".sweep .missing")).ToHaveCountAsync(2);
        await Assertions.Expect(page.Locator(".sweep .mean")).ToHaveTextAsync("63.50");

        var next = sweep.Runs[1];
        using var running = RunFolder.Create(Root, RunManifest.Of(next.Recipe, next.Name), next.RecipeText);
        running.Metrics.Append(Sample.Epoch(1, 20));
        await Assertions.Expect(page.Locator(".sweep .running")).ToContainTextAsync("%");
        await page.ClickAsync(".sweep .running");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync(next.Name);
        Assert.Empty(browser.Complaints);
    }

    [BrowserFact]
    public async Task A_telephone_shows_all_of_it_and_everything_has_a_name()
    {
        ManyRuns.Add(Root, "resnet32x4-resnet8x4-fsecd-class-b512-s1");
        ManyRuns.Add(Root, "two-s1", "kd", state: RunState.Failed);
        SweepRecord.Of("small.yaml", Sweep.Parse("pairs: [resnet56-resnet20]\nmethods: [ce, kd]\nset: { data.set: cifar100 }")).Save(Root);
        await using var server = await Serve();
        await using var browser = await Browser.Start(server: server.Address, width: 390);
        var page = browser.Page;
        foreach (var view in new[] { "", "#/run/two-s1", "#/compare/two-s1/resnet32x4-resnet8x4-fsecd-class-b512-s1", "#/sweeps" })
        {
            await page.GotoAsync(server.Address + view);
            await page.WaitForSelectorAsync(view == "#/sweeps" ? ".sweep" : "tbody tr");
            Assert.InRange(await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), 0, 390);
            Assert.Equal("", await page.EvaluateAsync<string>("""
                [...document.querySelectorAll('button, input, select, a, progress, canvas')].filter(e => !e.closest('.u-wrap')
                  && !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML).join('\n')
                """));
        }
        Assert.Empty(browser.Complaints);
    }

    Task<PageServer> Serve() => PageServer.Start(new() { RunsRoot = Root, Port = 0 });

    // What the chart shows.
    static Task<string> Ink(IPage page) => page.EvaluateAsync<string>("() => document.querySelector('.curve canvas').toDataURL()");
}
