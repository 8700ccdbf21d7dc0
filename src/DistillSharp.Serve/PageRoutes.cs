using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Report;
using DistillSharp.Experiments.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DistillSharp.Serve;

/// <summary>What can be asked for: the page, its events, and what is not told by itself.</summary>
sealed class PageRoutes(RunBoard board, PictureDesk desk, EventStream stream)
{
    const int MostRuns = 50;

    readonly Lazy<string> page = new(() => PageTemplate.Fill("DistillSharp", PageTemplate.Live, JsonSerializer.Serialize(
        new PageStart(typeof(PageRoutes).Assembly.GetName().Version?.ToString(3) ?? ""), ServeJson.Default.PageStart)));

    public void Map(IEndpointRouteBuilder routes)
    {
        Get(routes, "/", _ => Results.Text(page.Value, "text/html; charset=utf-8"));
        Get(routes, "/events", context => Results.ServerSentEvents(stream.Of(
            NamesIn(context.Request), context.Request.Headers["Last-Event-ID"].FirstOrDefault()
                ?? context.Request.Query["since"], context.RequestAborted)));
        Get(routes, "/api/names", context => Json(NamesWith(context.Request.Query["set"]!), ServeJson.Default.IReadOnlyListString));
        Get(routes, "/api/compare", context => Json(Compare(NamesIn(context.Request)), ServeJson.Default.Differences));
        Get(routes, "/api/pictures", context => desk.Of(context.Request.Query["key"].ToString()) is { } drawn
            ? Json(drawn, ServeJson.Default.ReportData) : throw new UserException("these pictures are no longer there; draw them again"));
        routes.MapPost("/api/pictures", context => Answer(context, Begin));
        routes.MapDelete("/api/pictures", context => Answer(context, _ =>
        {
            desk.Stop();
            return Results.NoContent();
        }));
    }

    static void Get(IEndpointRouteBuilder routes, string path, Func<HttpContext, IResult> answer) =>
        routes.MapGet(path, context => Answer(context, answer));

    // What a user can do wrongly is a sentence; the page shows it.
    static async Task Answer(HttpContext context, Func<HttpContext, IResult> answer)
    {
        IResult result;
        try { result = answer(context); }
        catch (UserException e) { result = Results.Text(e.Message, statusCode: StatusCodes.Status400BadRequest); }
        await result.ExecuteAsync(context);
    }

    static IResult Json<T>(T value, JsonTypeInfo<T> type) =>
        Results.Text(JsonSerializer.SerializeToUtf8Bytes(value, type), "application/json; charset=utf-8");

    static IReadOnlyList<string> NamesIn(HttpRequest request)
    {
        string[] names = [.. request.Query["run"].OfType<string>().Distinct()];
        foreach (var name in names) RunName.Check(name);
        return names.Length <= MostRuns ? names
            : throw new UserException($"{names.Length} runs are too many to be shown together; choose at most {MostRuns}");
    }

    IReadOnlyList<string> NamesWith(IEnumerable<string?> assignments) =>
        [.. RunRegistry.ListIn(board.Root, new() { Settings = RunFilter.SettingsOf(assignments.OfType<string>()) })
            .Select(run => run.Name)];

    Differences Compare(IReadOnlyList<string> names)
    {
        var comparison = new RunComparison([.. names.Select(name => RunSummary.Of(RunReader.Load(Path.Combine(board.Root, name))))]);
        return new([.. comparison.Differences.Select(one => new SettingValues(one.Path, one.Values))],
            comparison.SameMachine, comparison.SameVersions);
    }

    IResult Begin(HttpContext context)
    {
        var names = NamesIn(context.Request);
        if (names.Count == 0) throw new UserException("no run is named; write ?run=NAME");
        var images = context.Request.Query["images"].FirstOrDefault();
        if (images is not null && !(int.TryParse(images, out var count) && count > 0))
            throw new UserException($"'{images}' is no number of images");
        return Json(
            new PictureState(desk.Begin(names, images is null ? null : int.Parse(images)), "working", ""), ServeJson.Default.PictureState);
    }
}
