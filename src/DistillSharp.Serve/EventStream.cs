using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Serve;

/// <summary>What one open page is told, as it happens.</summary>
sealed class EventStream(RunBoard board, SweepBoard sweeps, PictureDesk desk, FolderWatch watch, Pulse pulse)
{
    // Whatever stands between drops what is silent.
    static readonly TimeSpan silence = TimeSpan.FromSeconds(15);

    /// <summary>Events until the page goes.</summary>
    /// <param name="names">The runs that are told of in full.</param>
    /// <param name="since">The version of the rows that the page has.</param>
    /// <param name="gone">The page is gone.</param>
    public async IAsyncEnumerable<SseItem<string>> Of(
        IReadOnlyList<string> names, string? since, [EnumeratorCancellation] CancellationToken gone)
    {
        using var looking = watch.Look();
        var feeds = names.Select(name => new RunFeed(board.Root, name)).ToList();
        IReadOnlyList<SweepRecord>? toldSweeps = null;
        PictureState? toldPictures = null;
        while (!gone.IsCancellationRequested)
        {
            var beat = pulse.Next;
            if (board.IsRead && board.Changes(since) is var rows && rows.Version != since)
            {
                since = rows.Version;
                yield return Item(new("rows", JsonSerializer.Serialize(
                    new RowNews(rows.All, rows.Rows, rows.Removed, rows.Problems, board.Root), ServeJson.Default.RowNews), since));
            }
            if (!ReferenceEquals(toldSweeps, sweeps.Sweeps))
            {
                toldSweeps = sweeps.Sweeps;
                yield return Item(new("sweeps", JsonSerializer.Serialize(toldSweeps, ServeJson.Default.IReadOnlyListSweepRecord)));
            }
            foreach (var news in feeds.SelectMany(feed => feed.News())) yield return Item(news);
            if (names.Count > 0 && desk.State is { } state && state != toldPictures)
            {
                toldPictures = state;
                yield return Item(new("pictures", JsonSerializer.Serialize(state, ServeJson.Default.PictureState)));
            }
            if (!await Beats(beat, gone)) yield return new("", "alive");
        }
    }

    static SseItem<string> Item(News news) => new(news.Json, news.Event) { EventId = news.Id };

    static async Task<bool> Beats(Task beat, CancellationToken gone)
    {
        try
        {
            await beat.WaitAsync(silence, gone);
            return true;
        }
        catch (TimeoutException) { return false; }
        catch (OperationCanceledException) { return true; }
    }
}
