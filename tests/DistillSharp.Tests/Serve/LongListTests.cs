using DistillSharp.Serve;
using DistillSharp.Tests.Data;
using DistillSharp.Tests.Experiments.Report;
using Microsoft.Playwright;

namespace DistillSharp.Tests.Serve;

// A time is measured: nothing else of this process runs beside it.
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class LongListTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    string Root => folder["runs"];

    public void Dispose() => folder.Dispose();

    [BrowserFact]
    public async Task A_thousand_runs_are_listed_within_a_second_and_can_be_filtered_and_sorted()
    {
        ManyRuns.Fill(Root, 1000);
        await using var server = await PageServer.Start(new() { RunsRoot = Root, Port = 0 });
        await using var browser = await Browser.Start(server: server.Address);
        var page = browser.Page;
        // The registry is made at the first look; that is not what is measured.
        await Open(page, server);
        // Others work on this machine too: the best of a few.
        var best = double.MaxValue;
        for (var i = 0; i < 5 && best > 1000; i++)
        {
            await page.GotoAsync("about:blank");
            best = Math.Min(best, await Open(page, server));
        }
        Assert.InRange(best, 0, 1000);
        Assert.StartsWith("1,000 runs", await page.TextContentAsync("#count"));

        await page.ClickAsync("thead th:nth-child(8) .sort");
        Assert.Equal("run-0999", await page.TextContentAsync("tbody tr:first-child a"));
        await page.ClickAsync("#more");
        await Assertions.Expect(page.Locator("tbody tr")).ToHaveCountAsync(1000);
        await page.SelectOptionAsync("#filter-method", "kd");
        await Assertions.Expect(page.Locator("#count")).ToContainTextAsync("250 of 1,000 runs");
        await page.FillAsync("#search", "run-09");
        await Assertions.Expect(page.Locator("tbody tr")).ToHaveCountAsync(25);
        await page.FillAsync("#setting", "train.seed=905");
        await page.PressAsync("#setting", "Enter");
        await Assertions.Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        Assert.Equal("run-0905", await page.TextContentAsync("tbody tr a"));
        Assert.Empty(browser.Complaints);
    }

    static async Task<double> Open(IPage page, PageServer server)
    {
        await page.GotoAsync(server.Address, new() { WaitUntil = WaitUntilState.Commit });
        return await page.EvaluateAsync<double>("""
            () => new Promise(done => {
              const look = () => document.querySelectorAll('tbody tr').length === 250
                  ? requestAnimationFrame(() => done(performance.now())) : setTimeout(look, 5);
              look();
            })
            """);
    }
}
