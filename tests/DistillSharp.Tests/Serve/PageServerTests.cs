using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using DistillSharp.Experiments.Runs;
using DistillSharp.Serve;

namespace DistillSharp.Tests.Serve;

public sealed class PageServerTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly HttpClient client = new(new HttpClientHandler { AllowAutoRedirect = false });

    string Root => folder["runs"];

    public void Dispose()
    {
        client.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task The_page_holds_all_it_needs_and_is_found_while_it_is_served()
    {
        Assert.Null(ServedPage.Find(Root));
        string address;
        await using (var server = await Serve())
        {
            address = server.Address;
            Assert.Equal(address, ServedPage.Find(Root));
            var page = await client.GetStringAsync(address);
            Assert.InRange(page.Length, 50_000, 1_500_000);
            Assert.DoesNotMatch("""(src|href)=["']?(https?:)?//""", page);
            Assert.DoesNotContain("{{", page.Split("<script>")[0]);
            Assert.Contains("connect-src 'self'", page);

            var error = await Assert.ThrowsAsync<UserException>(Serve);
            Assert.Equal($"the runs of {Root} are served already: {address}", error.Message);
        }
        Assert.Null(ServedPage.Find(Root));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync(address));
    }

    [Fact]
    public void An_address_left_behind_by_a_process_that_is_gone_is_not_believed()
    {
        Directory.CreateDirectory(Root);
        // The number is a living process's, but that one started at another time.
        File.WriteAllText(Path.Combine(Root, ".page.json"),
            $$"""
            {"address":"http://localhost:1/","process":{{Environment.ProcessId}},"started":"2001-01-01T00:00:00Z",
             "machine":"{{Environment.MachineName}}"}
            """);
        Assert.Null(ServedPage.Find(Root));
        File.WriteAllText(Path.Combine(Root, ".page.json"), "{\"address\":");
        Assert.Null(ServedPage.Find(Root));
    }

    [Fact]
    public async Task A_foreign_name_and_a_foreign_form_are_refused()
    {
        await using var server = await Serve();
        using var named = new HttpRequestMessage(HttpMethod.Get, server.Address) { Headers = { Host = "evil.example" } };
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(named)).StatusCode);
        var posted = await client.PostAsync(server.Address + "api/pictures?run=one", new FormUrlEncodedContent([]));
        Assert.Equal(HttpStatusCode.Forbidden, posted.StatusCode);
    }

    [Fact]
    public async Task Another_address_lets_in_only_who_knows_the_token()
    {
        await using var server = await PageServer.Start(new() { RunsRoot = Root, Port = 0, Network = IPAddress.Any });
        var local = new UriBuilder(server.Address) { Host = "127.0.0.1" }.Uri;
        var bare = new Uri(local, "/events");
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync(bare)).StatusCode);
        Assert.Equal(
            HttpStatusCode.Forbidden, (await client.GetAsync(new Uri(local, "/?token=0123456789abcdef0123456789abcdef"))).StatusCode);

        var entered = await client.GetAsync(local);
        Assert.Equal(HttpStatusCode.Redirect, entered.StatusCode);
        Assert.Equal("/", entered.Headers.Location!.ToString());
        var cookie = entered.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=strict", cookie);
        using var with = new HttpRequestMessage(HttpMethod.Get, new Uri(local, "/")) { Headers = { { "Cookie", cookie.Split(';')[0] } } };
        Assert.Equal(HttpStatusCode.OK, (await new HttpClient(new HttpClientHandler { UseCookies = false }).SendAsync(with)).StatusCode);
    }

    [Fact]
    public async Task A_port_that_is_taken_and_one_that_is_none_are_sentences()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var error = await Assert.ThrowsAsync<UserException>(() => PageServer.Start(new() { RunsRoot = Root, Port = port }));
        Assert.Equal($"cannot listen on 127.0.0.1:{port}: the port is taken; --port names another, 0 any that is free", error.Message);
        Assert.Null(ServedPage.Find(Root));
        await Assert.ThrowsAsync<UsageException>(() => PageServer.Start(new() { RunsRoot = Root, Port = 70_000 }));
    }

    // Who lost the connection for a moment is told only what changed.
    [Fact]
    public async Task The_stream_goes_on_where_it_was_cut()
    {
        ManyRuns.Add(Root, "one-s1");
        await using var server = await Serve();
        var first = await Rows(server, null, "one-s1");
        Assert.Contains("\"all\":true", first.Data);
        ManyRuns.Add(Root, "two-s1");
        var second = await Rows(server, first.Id, "two-s1");
        Assert.Contains("\"all\":false", second.Data);
        Assert.DoesNotContain("one-s1", second.Data);
        Directory.Delete(Path.Combine(Root, "two-s1"), recursive: true);
        var third = await Rows(server, second.Id, "\"removed\":[\"two-s1\"]");
        Assert.Contains("\"rows\":[]", third.Data);
        Assert.Contains("\"all\":true", (await Rows(server, "00000000-7", "one-s1")).Data);
    }

    [Fact]
    public async Task What_is_asked_wrongly_is_answered_with_a_sentence()
    {
        ManyRuns.Add(Root, "one-s1");
        await using var server = await Serve();
        foreach (var (path, said) in new[]
        {
            ("api/names?set=lr", "'lr' is no setting"), ("api/compare?run=one-s1&run=nobody", "there is no run folder "),
                ("events?run=../secret", "cannot be the name of a run"),
            ("api/pictures?key=none", "no longer there"),
                ("events?" + string.Join('&', Enumerable.Range(0, 51).Select(i => $"run=r{i}")), "51 runs are too many"),
        })
        {
            var answer = await client.GetAsync(server.Address + path);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains(said, await answer.Content.ReadAsStringAsync());
        }
    }

    Task<PageServer> Serve() => PageServer.Start(new() { RunsRoot = Root, Port = 0 });

    // The first event of rows that holds a text.
    async Task<(string Id, string Data)> Rows(PageServer server, string? since, string holding)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Address + "events");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (since is not null) request.Headers.Add("Last-Event-ID", since);
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(timeout.Token));
        var (name, data) = ("", "");
        while (await reader.ReadLineAsync(timeout.Token) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal) && name == "rows" && data.Contains(holding))
                return (line[4..], data);
        }
        throw new InvalidOperationException("the stream ended");
    }
}
