using System.Reflection;
using Microsoft.Playwright;

namespace DistillSharp.Tests.Experiments.Report;

/// <summary>A fact that runs only where Debian's chromium is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute()
    {
        if (Browser.Program is null) Skip = "there is no chromium here (Debian: apt-get install chromium)";
    }
}

/// <summary>A headless Chromium with one page, and what went wrong in it.</summary>
sealed class Browser : IAsyncDisposable
{
    readonly IPlaywright playwright;
    readonly IBrowser browser;

    Browser(IPlaywright playwright, IBrowser browser, IPage page)
    {
        (this.playwright, this.browser, Page) = (playwright, browser, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Complaints.Add(message.Text);
        };
        page.PageError += (_, error) => Complaints.Add(error);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("file:", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal)) Complaints.Add($"asks for {request.Url}");
        };
    }

    public static string? Program { get; } = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser" }.FirstOrDefault(File.Exists);

    public IPage Page { get; }

    /// <summary>Errors and warnings of the console, exceptions of scripts, and requests to a network.</summary>
    public List<string> Complaints { get; } = [];

    public static async Task<Browser> Start(ColorScheme scheme = ColorScheme.Light)
    {
        Environment.SetEnvironmentVariable("PLAYWRIGHT_DRIVER_SEARCH_PATH",
            typeof(Browser).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "Playwright").Value);
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            Headless = true,
            Timeout = 120_000,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
        });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1280, Height = 900 }, ColorScheme = scheme });
        page.SetDefaultTimeout(180_000);
        return new(playwright, browser, page);
    }

    public async ValueTask DisposeAsync()
    {
        await browser.CloseAsync();
        playwright.Dispose();
    }
}
