using System.Text.Json;
using System.Text.Json.Serialization;
using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Interop;

namespace DistillSharp.Experiments.Paper;

/// <summary>
/// How a kept teacher was trained, as <c>NAME.json</c> beside <c>NAME.pth</c>. A run takes over in what its teacher departs from
/// the protocol, so that a table marks what was learnt from one that was trained for a trial.
/// </summary>
/// <param name="Run">The run it is from.</param>
/// <param name="Acc1">Its accuracy in percent.</param>
/// <param name="Departures">In what its training departs from the protocol; empty when in nothing.</param>
public sealed record TeacherCard(string Run, double? Acc1, IReadOnlyList<string> Departures)
{
    const long Longest = 1 << 20;

    /// <summary>The card of a teacher's run.</summary>
    public static TeacherCard Of(RunSummary run) => new(run.Name, run.FinalAcc1,
        PaperResults.All.FirstOrDefault(result => result.Teacher == run.Manifest.Student) is { } result
            ? PaperProtocol.Departures(PaperRecipes.TeacherOf(result), run) : []);

    /// <summary>
    /// How a teacher was trained: by the card beside its weights, or by the run whose student they are; null where there is neither, so
    /// that nothing is known.
    /// </summary>
    /// <exception cref="UserException">The card or the run is there and cannot be read.</exception>
    public static TeacherTraining? TrainingOf(string weights) =>
        Find(weights) is { Departures: not null } card ? new(card.Acc1, card.Departures) : null;

    static TeacherCard? Find(string weights)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(weights))!;
        if (Path.GetFileName(weights) == StudentFile.FileName && RunReader.IsRun(folder)) return Of(RunSummary.Of(RunReader.Load(folder)));
        var path = CardOf(weights);
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) return null;
            if (file.Length > Longest) throw new UserException($"{path} is {file.Length} bytes long and no teacher's card");
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), TeacherJson.Default.TeacherCard);
        }
        catch (JsonException)
        {
            // Some other program's file of that name.
            return null;
        }
        catch (Exception e) when (FileTrouble.Is(e)) { throw FileTrouble.Report($"cannot read {path}", e); }
    }

    /// <summary>Writes the card beside the weights.</summary>
    /// <exception cref="UserException">It cannot be written.</exception>
    public void Write(string weights) =>
        AtomicFile.Write(CardOf(weights), Encoding.UTF8.GetBytes(JsonSerializer.Serialize(this, TeacherJson.Default.TeacherCard) + "\n"));

    static string CardOf(string weights) => Path.ChangeExtension(weights, ".json");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TeacherCard))]
sealed partial class TeacherJson : JsonSerializerContext;
