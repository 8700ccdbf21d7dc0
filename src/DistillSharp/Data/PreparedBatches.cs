using System.Collections.Concurrent;
using System.Threading.Channels;

namespace DistillSharp.Data;

/// <summary>The batches of one epoch, filled by a background thread that stays a bounded number of batches ahead.</summary>
sealed class PreparedBatches : IDisposable
{
    readonly BatchLoader loader;
    readonly Channel<Batch> ready;
    readonly ConcurrentQueue<Batch> spare = new();
    readonly List<Batch> made = [];
    readonly CancellationTokenSource stop = new();
    readonly Task producer;

    public PreparedBatches(BatchLoader loader, int epoch, int skip)
    {
        this.loader = loader;
        ready = Channel.CreateBounded<Batch>(new BoundedChannelOptions(loader.Ahead) { SingleReader = true, SingleWriter = true });
        producer = Task.Factory.StartNew(() => Produce(epoch, skip), TaskCreationOptions.LongRunning);
    }

    /// <summary>The next batch, or null after the last.</summary>
    public Batch? Next()
    {
        Batch? batch;
        // Waiting throws what ended the producer, if it was an error.
        while (!ready.Reader.TryRead(out batch) && ready.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult()) { }
        return batch;
    }

    /// <summary>Gives back a batch whose content is no longer needed.</summary>
    public void Reuse(Batch batch) => spare.Enqueue(batch);

    /// <summary>Ends the producer and frees every batch.</summary>
    public void Dispose()
    {
        stop.Cancel();
        producer.Wait();
        foreach (var batch in made) batch.Free();
        stop.Dispose();
    }

    void Produce(int epoch, int skip)
    {
        try
        {
            var order = loader.Order(epoch);
            for (var number = skip; number < loader.BatchCount; number++)
            {
                stop.Token.ThrowIfCancellationRequested();
                var batch = Take(number);
                loader.Fill(batch, epoch, number, order);
                ready.Writer.WriteAsync(batch, stop.Token).AsTask().GetAwaiter().GetResult();
            }
            ready.Writer.Complete();
        }
        catch (Exception e)
        {
            var error = e is AggregateException { InnerException: { } first } ? first : e;
            ready.Writer.Complete(stop.IsCancellationRequested ? null : error);
        }
    }

    Batch Take(int number)
    {
        if (spare.TryDequeue(out var used) && used.Count == loader.SizeOf(number)) return used;
        var batch = loader.NewBatch(number);
        made.Add(batch);
        return batch;
    }
}
