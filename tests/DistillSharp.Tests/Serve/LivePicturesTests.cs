using DistillSharp.Serve;
using DistillSharp.Tests.Data;
using DistillSharp.Tests.Experiments.Measurement;
using DistillSharp.Tests.Experiments.Report;
using Microsoft.Playwright;

namespace DistillSharp.Tests.Serve;

// The runs' networks are drawn by seeds: nobody else may draw from libtorch's generator meanwhile.
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class LivePicturesTests : IDisposable
{
    readonly SmallRuns runs = new();

    public void Dispose() => runs.Dispose();

    [BrowserFact]
    public async Task Pictures_of_the_networks_are_drawn_when_they_are_asked_for()
    {
        runs.Run("taught-s1", seed: 1);
        runs.Run("begun-s1", seed: null);
        await using var server = await PageServer.Start(new() { RunsRoot = runs["runs"], Port = 0 });
        await using var browser = await Browser.Start(server: server.Address);
        var page = browser.Page;
        await page.GotoAsync(server.Address + "#/compare/taught-s1/begun-s1");
        Assert.Equal(0, await page.Locator("#maps").CountAsync());
        await page.ClickAsync("#draw");
        await Assertions.Expect(page.Locator("#maps canvas")).ToHaveCountAsync(2, new() { Timeout = 120_000 });
        await Assertions.Expect(page.Locator("#classes .classrow")).ToHaveCountAsync(10);
        await Assertions.Expect(page.Locator("#pictures .note")).ToContainTextAsync("begun-s1");
        Assert.Equal(2, await page.Locator(".matrices canvas").CountAsync());

        // What has no student yet says so.
        await page.GotoAsync(server.Address + "#/run/begun-s1");
        await page.ClickAsync("#draw");
        await Assertions.Expect(page.Locator("#pictures .note")).ToContainTextAsync("begun-s1", new() { Timeout = 120_000 });
        Assert.Equal(0, await page.Locator("#maps").CountAsync());
        Assert.Empty(browser.Complaints);
    }
}
