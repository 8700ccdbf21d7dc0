using System.Net;
using DistillSharp.Serve;

namespace DistillSharp.Cli.Commands;

sealed class ServeCommand : CliCommand
{
    readonly CliOption<int> port = new("--port", "The port; 0 for any that is free", usual: ServeOptions.DefaultPort);
    readonly CliOption<string?> address = new(
        "--address", "Listen on this address instead of this machine's own; the page's address then has a token that lets in", help: "IP");

    public ServeCommand() : base("serve", "Show runs as they train, on a page of this machine: list, curves that grow, comparison, sweeps.",
        "distill serve", "distill serve --runs /data/runs --port 8080", "distill serve --address 0.0.0.0") => Takes(Runs, port, address);

    public override int Run(ParseResult given, Terminal terminal)
    {
        var options = new ServeOptions { RunsRoot = given.GetValue(Runs)!, Port = given.GetValue(port), Toolkit = Toolkit };
        if (given.GetValue(address) is { } text)
            options = IPAddress.TryParse(text, out var network) ? options with { Network = network }
                : throw new UsageException($"--address takes an IP address, such as 0.0.0.0, not '{text}'");
        Serve(options, terminal).GetAwaiter().GetResult();
        return 0;
    }

    static async Task Serve(ServeOptions options, Terminal terminal)
    {
        await using var server = await PageServer.Start(options);
        terminal.Out.WriteLine($"{Path.GetFullPath(options.RunsRoot)} is shown at {server.Address} (Ctrl-C ends it)");
        await server.WaitForStop();
    }
}
