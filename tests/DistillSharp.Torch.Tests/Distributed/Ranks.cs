using System.Net;
using System.Net.Sockets;
using DistillSharp.Torch.Distributed;

namespace DistillSharp.Torch.Tests.Distributed;

/// <summary>Several ranks of a process group as threads of this process: each has its own connections, as processes would.</summary>
public static class Ranks
{
    /// <summary>Runs a body in each rank; what one throws is thrown here.</summary>
    public static void Run(int count, Action<ProcessGroup> body, double timeoutSeconds = 60)
    {
        var port = FreePort();
        var failures = new Exception?[count];
        var threads = Enumerable.Range(0, count).Select(rank => new Thread(() =>
        {
            try
            {
                using var scope = TensorScope.Open();
                var group = ProcessGroup.Join(new(rank, count, "127.0.0.1", port) { Timeout = TimeSpan.FromSeconds(timeoutSeconds) });
                body(group);
                // Process 0 keeps the store: it leaves last.
                group.Barrier();
                group.Dispose();
            }
            catch (Exception error)
            {
                failures[rank] = error;
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (failures.OfType<Exception>().ToArray() is { Length: > 0 } thrown) throw new AggregateException(thrown);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
