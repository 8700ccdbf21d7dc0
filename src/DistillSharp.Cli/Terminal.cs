using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;

namespace DistillSharp.Cli;

/// <summary>Where a command writes: answers to <see cref="Out"/>, the rest to <see cref="Error"/>; tests inject what they read.</summary>
sealed class Terminal(TextWriter output, TextWriter error)
{
    const int UnwrappedWidth = 500;

    // What follows is made on first use: the help page must not wait for either library to load.
    static JsonSerializerOptions JsonStyle => field ??= new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // These lines go into no HTML page: keep paths and names legible.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public TextWriter Out { get; } = output;

    public TextWriter Error { get; } = error;

    /// <summary>Tables and colors over <see cref="Out"/>; plain text when that is no terminal.</summary>
    public IAnsiConsole StyledOut => field ??= Style(Out);

    /// <summary>Live progress and colors over <see cref="Error"/>; plain text when that is no terminal.</summary>
    public IAnsiConsole StyledError => field ??= Style(Error);

    /// <summary>Writes one JSON value and a line end to <see cref="Out"/>. Property names become snake_case.</summary>
    public void Json<T>(T value) => Out.WriteLine(JsonSerializer.Serialize(value, JsonStyle));

    static IAnsiConsole Style(TextWriter writer)
    {
        var output = new AnsiConsoleOutput(writer);
        // Left to itself, Spectre asks only the environment, and files fill with escape codes.
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = output, Ansi = output.IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = output.IsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = output.IsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        // A file has no right edge: nothing is wrapped at the 80 columns that Spectre assumes.
        if (!output.IsTerminal) console.Profile.Width = UnwrappedWidth;
        return console;
    }
}
