// A student as a service: dotnet run -c Release -- --model student.onnx --urls http://127.0.0.1:8080
// The file was made by: distill export RUN --onnx student.onnx --with-preprocessing [--int8]
// Ask it by: curl --data-binary @photo.jpg http://127.0.0.1:8080/classify?top=3
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.ML.OnnxRuntime;
using Prometheus;
using SkiaSharp;

var builder = WebApplication.CreateBuilder(args);
var file = builder.Configuration["model"] ?? "student.onnx";
Student student;
try
{
    student = new(file, builder.Configuration.GetValue("threads", 0));
}
catch (Exception error) when (error is OnnxRuntimeException or InvalidDataException)
{
    Console.Error.WriteLine($"{file} cannot be served: {error.Message}");
    return 1;
}
builder.Services.AddHealthChecks().AddCheck("student", () =>
    student.Classify(new byte[3], 1, 1).Count > 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());
var app = builder.Build();
var classified = Metrics.CreateHistogram("student_classify_seconds", "Time from an image's bytes to its classes.");
var refused = Metrics.CreateCounter("student_refused_total", "Requests whose body was no image.");

app.MapHealthChecks("/health");
app.MapMetrics();
app.MapPost("/classify", async (HttpRequest request, int top = 5) =>
{
    using var body = new MemoryStream();
    await request.Body.CopyToAsync(body);
    var timer = classified.NewTimer();
    if (Picture.Read(body.ToArray()) is var (rgb, height, width))
    {
        var guesses = student.Classify(rgb, height, width);
        timer.ObserveDuration();
        return Results.Ok(guesses.Take(top));
    }
    refused.Inc();
    return Results.Problem("the body is no image that can be read", statusCode: StatusCodes.Status400BadRequest);
});
app.Run();
student.Dispose();
return 0;

record Guess(string Class, double Probability);

// Many requests may run at once: a session is safe for that.
sealed class Student : IDisposable
{
    readonly InferenceSession session;
    readonly string[] classes;

    public Student(string file, int threads)
    {
        using var options = new Microsoft.ML.OnnxRuntime.SessionOptions { IntraOpNumThreads = threads };
        session = new(file, options);
        if (!session.InputMetadata.TryGetValue("images", out var images) || images.ElementType != typeof(byte))
            throw new InvalidDataException("it takes no pixels; export it with --with-preprocessing");
        classes = session.ModelMetadata.CustomMetadataMap.TryGetValue("classes", out var names)
            ? JsonSerializer.Deserialize<string[]>(names)! : throw new InvalidDataException("it does not name its classes");
    }

    // Pixels [height, width, 3] of any size: the graph brings them to its own. The likeliest class comes first.
    public IReadOnlyList<Guess> Classify(byte[] rgb, int height, int width)
    {
        using var images = OrtValue.CreateTensorValueFromMemory(rgb, [1, height, width, 3]);
        using var run = new RunOptions();
        using var results = session.Run(run, ["images"], [images], ["logits"]);
        var logits = results[0].GetTensorDataAsSpan<float>().ToArray();
        var largest = logits.Max();
        var powers = Array.ConvertAll(logits, logit => Math.Exp(logit - largest));
        return [.. classes.Zip(powers, (name, power) => new Guess(name, power / powers.Sum())).OrderByDescending(one => one.Probability)];
    }

    public void Dispose() => session.Dispose();
}

static class Picture
{
    const long MaxPixels = 1 << 26;

    // JPEG, PNG, WebP, BMP or GIF to RGB; null for what is no image, or too large a one.
    public static (byte[] Rgb, int Height, int Width)? Read(byte[] bytes)
    {
        using var codec = SKCodec.Create(new MemoryStream(bytes));
        if (codec is null || (long)codec.Info.Width * codec.Info.Height > MaxPixels) return null;
        using var bitmap = SKBitmap.Decode(codec, new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        if (bitmap is null) return null;
        var rgba = bitmap.GetPixelSpan();
        var rgb = new byte[3 * bitmap.Width * bitmap.Height];
        for (var i = 0; i < rgb.Length / 3; i++) rgba.Slice(4 * i, 3).CopyTo(rgb.AsSpan(3 * i));
        return (rgb, bitmap.Height, bitmap.Width);
    }
}
