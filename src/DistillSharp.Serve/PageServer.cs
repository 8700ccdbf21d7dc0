using System.Net;
using System.Net.Sockets;
using DistillSharp.Experiments.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DistillSharp.Serve;

/// <summary>Serves the page of a folder's runs until it is disposed or the process is asked to end.</summary>
public sealed class PageServer : IAsyncDisposable
{
    readonly WebApplication application;
    readonly FolderWatch watch;
    readonly PictureDesk desk;
    readonly ServedPage announced;

    PageServer(WebApplication application, FolderWatch watch, PictureDesk desk, ServedPage announced) =>
        (this.application, this.watch, this.desk, this.announced) = (application, watch, desk, announced);

    /// <summary>The page's address, with the token where one is needed.</summary>
    public string Address => announced.Address;

    /// <summary>Begins to serve.</summary>
    /// <exception cref="UserException">The folder is served already or cannot be made, or the address or port cannot be had.</exception>
    public static async Task<PageServer> Start(ServeOptions options)
    {
        if (options.Port is < 0 or > ushort.MaxValue)
            throw new UsageException($"{options.Port} is no port; give a number from 1 to {ushort.MaxValue}, or 0 for any that is free");
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.RunsRoot));
        try { Directory.CreateDirectory(root); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"cannot create the folder of runs {root}: {e.Message}", e);
        }
        if (ServedPage.Find(root) is { } other) throw new UserException($"the runs of {root} are served already: {other}");

        var (pulse, board, sweeps) = (new Pulse(), new RunBoard(root), new SweepBoard(root));
        var (desk, access) = (new PictureDesk(root, options.Toolkit, pulse), new Access(options.Network));
        var watch = new FolderWatch(board, sweeps, pulse);
        var application = Build(options, access);
        new PageRoutes(board, desk, new(board, sweeps, desk, watch, pulse)).Map(application);
        await Listen(application, options);
        watch.Start();
        try
        {
            return new(application, watch, desk, ServedPage.Announce(root, AddressOf(application, options, access)));
        }
        catch
        {
            await application.DisposeAsync();
            await watch.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the process is asked to end (Ctrl-C, SIGTERM).</summary>
    public Task WaitForStop() => application.WaitForShutdownAsync();

    /// <summary>Ends the serving, and takes the address back.</summary>
    public async ValueTask DisposeAsync()
    {
        announced.Dispose();
        // Open pages listen for ever; they are not waited for.
        await application.StopAsync(new CancellationToken(canceled: true));
        await application.DisposeAsync();
        await desk.DisposeAsync();
        await watch.DisposeAsync();
    }

    // Nothing of the environment or of files decides what is listened on.
    static WebApplication Build(ServeOptions options, Access access)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Network, options.Port);
        });
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(200));
        var application = builder.Build();
        application.Use((context, next) => access.Check(context, () => next(context)));
        return application;
    }

    static async Task Listen(WebApplication application, ServeOptions options)
    {
        try { await application.StartAsync(); }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            await application.DisposeAsync();
            var taken = e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException;
            throw new UserException($"cannot listen on {new IPEndPoint(options.Network, options.Port)}: "
                + (taken ? "the port is taken; --port names another, 0 any that is free"
                    : (e.InnerException ?? e).Message.TrimEnd('.')), e);
        }
    }

    static string AddressOf(WebApplication application, ServeOptions options, Access access)
    {
        var listening =
            new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var any = options.Network.Equals(IPAddress.Any) || options.Network.Equals(IPAddress.IPv6Any);
        return new UriBuilder(
            "http", any ? Dns.GetHostName() : IPAddress.IsLoopback(options.Network) ? "localhost" : listening.Host, listening.Port, "/")
        {
            Query = access.Token is { } token ? $"token={token}" : "",
        }.Uri.ToString();
    }
}
