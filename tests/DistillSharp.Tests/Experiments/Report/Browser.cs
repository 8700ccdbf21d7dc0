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

    Browser(IPlaywright playwright, IBrowser browser, IPage page, string? server)
    {
        (this.playwright, this.browser, Page) = (playwright, browser, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Complaints.Add(message.Text);
        };
        page.PageError += (_, error) => Complaints.Add(error);
        page.Request += (_, request) =>
        {
            if (!new[] { "file:", "data:", server ?? "file:" }.Any(begin => request.Url.StartsWith(begin, StringComparison.Ordinal)))
                Complaints.Add($"asks for {request.Url}");
        };
    }

    public static string? Program { get; } = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser" }.FirstOrDefault(File.Exists);

    public IPage Page { get; }

    /// <summary>Errors and warnings of the console, exceptions of scripts, and requests to a network.</summary>
    public List<string> Complaints { get; } = [];

    /// <param name="scheme">Light or dark.</param>
    /// <param name="server">The address that the page may ask; none when null.</param>
    /// <param name="width">The window's width in pixels.</param>
    public static async Task<Browser> Start(ColorScheme scheme = ColorScheme.Light, string? server = null, int width = 1280)
    {
        Environment.SetEnvironmentVariable("PLAYWRIGHT_DRIVER_SEARCH_PATH",
            typeof(Browser).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "Playwright").Value);
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            Headless = true,
            Timeout = 120_000,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
                "--disable-component-update", "--no-first-run"],
        });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = scheme });
        page.SetDefaultTimeout(180_000);
        return new(playwright, browser, page, server);
    }

    public async ValueTask DisposeAsync()
    {
        await browser.CloseAsync();
        playwright.Dispose();
    }
}
