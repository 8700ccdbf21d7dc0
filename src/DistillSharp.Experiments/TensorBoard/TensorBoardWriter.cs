using DistillSharp.Experiments.TensorBoard.Messages;
using Google.Protobuf;

namespace DistillSharp.Experiments.TensorBoard;

/// <summary>
/// Writes an event file that TensorBoard shows: scalars over steps and texts. Each record reaches the file whole, so that
/// TensorBoard may follow it while training goes on.
/// </summary>
public sealed class TensorBoardWriter : IDisposable
{
    /// <summary>How the names of event files begin; TensorBoard finds them by it.</summary>
    public const string FilePrefix = "events.out.tfevents.";

    readonly FileStream file;

    TensorBoardWriter(FileStream file) => this.file = file;

    /// <summary>The event file.</summary>
    public string Path => file.Name;

    /// <summary>Creates an event file in a folder.</summary>
    /// <param name="folder">The folder that TensorBoard takes for a run.</param>
    /// <param name="started">When the run began; it is part of the name, by which TensorBoard orders files.</param>
    /// <exception cref="UserException">The file cannot be written.</exception>
    public static TensorBoardWriter Create(string folder, DateTimeOffset started)
    {
        var name = string.Create(CultureInfo.InvariantCulture,
            $"{FilePrefix}{started.ToUnixTimeSeconds():D10}.{Environment.MachineName}.{Environment.ProcessId}.0");
        var path = System.IO.Path.Combine(folder, name);
        try
        {
            // FileShare.ReadWrite: .NET would lock the file otherwise, and TensorBoard reads it while it grows.
            var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            return new TensorBoardWriter(file).OrDispose(writer =>
            {
                writer.Write(new Event { WallTime = Seconds(started), FileVersion = "brain.Event:2" });
                return writer;
            });
        }
        catch (Exception e) when (FileTrouble.Is(e)) { throw FileTrouble.Report($"cannot write {path}", e); }
    }

    /// <summary>Removes the event files of a folder: those that a resumed run writes anew.</summary>
    /// <exception cref="UserException">A file cannot be removed.</exception>
    public static void RemoveAll(string folder)
    {
        try { Array.ForEach(Directory.GetFiles(folder, FilePrefix + "*"), File.Delete); }
        catch (Exception e) when (FileTrouble.Is(e)) { throw FileTrouble.Report($"cannot remove the event files in {folder}", e); }
    }

    /// <summary>Writes scalars of one step as one record.</summary>
    /// <param name="step">The step, TensorBoard's horizontal axis.</param>
    /// <param name="at">When they were measured.</param>
    /// <param name="values">Tag and value; TensorBoard groups tags by what stands before the slash.</param>
    /// <exception cref="UserException">The file cannot be written.</exception>
    public void Scalars(long step, DateTimeOffset at, IEnumerable<(string Tag, double Value)> values)
    {
        var summary = new Summary();
        foreach (var (tag, value) in values) summary.Value.Add(new Summary.Types.Value { Tag = tag, SimpleValue = (float)value });
        if (summary.Value.Count > 0) Write(new Event { WallTime = Seconds(at), Step = step, Summary = summary });
    }

    /// <summary>Writes a text, which TensorBoard shows as Markdown.</summary>
    /// <exception cref="UserException">The file cannot be written.</exception>
    public void Text(string tag, DateTimeOffset at, string markdown)
    {
        var value = new Summary.Types.Value
        {
            Tag = tag,
            Metadata = new SummaryMetadata
            {
                PluginData = new SummaryMetadata.Types.PluginData { PluginName = "text" }, DataClass = DataClass.Tensor,
            },
            Tensor = new TensorProto { Dtype = DataType.DtString, TensorShape = new TensorShapeProto() },
        };
        value.Tensor.StringVal.Add(ByteString.CopyFromUtf8(markdown));
        Write(new Event { WallTime = Seconds(at), Summary = new Summary { Value = { value } } });
    }

    /// <summary>Writes an epoch of a run; the step is the epoch.</summary>
    /// <exception cref="UserException">The file cannot be written.</exception>
    public void Epoch(EpochMetrics metrics, DateTimeOffset at)
    {
        (string Tag, double? Value)[] values =
        [
            ("accuracy/top1", metrics.Acc1), ("accuracy/top5", metrics.Acc5), ("loss/total", metrics.Loss),
            .. metrics.Terms.Select(term => ($"loss/{term.Key}", (double?)term.Value)), ("train/lr", metrics.Lr),
            ("train/images_per_second", metrics.ImagesPerSecond), ("train/seconds_per_epoch", metrics.Seconds),
        ];
        Scalars(metrics.Epoch, at, values.Where(entry => entry.Value is not null).Select(entry => (entry.Tag, entry.Value!.Value)));
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    void Write(Event record)
    {
        var start = file.Position;
        try { file.Write(RecordFraming.Frame(record.ToByteArray())); }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            // Half a record would hide all that follow.
            file.SetLength(start);
            file.Position = start;
            throw FileTrouble.Report($"cannot write {Path}", e);
        }
    }

    static double Seconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).TotalSeconds;
}
