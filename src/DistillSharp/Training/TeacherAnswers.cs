using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DistillSharp.Formats.Files;
using DistillSharp.Models;

namespace DistillSharp.Training;

/// <summary>
/// Answers of a teacher on disk, which runs share that show it the same batches: those of one seed do, whatever their methods and their
/// student. A batch is known by the bits of its images, and the teacher by its weights, the precision and what computes, so an
/// answer that is read is the answer that would be computed, to the last bit. Below the folder each teacher has one of its own;
/// when all come to more than the limit, those go first that were not used for longest.
/// </summary>
sealed class TeacherAnswers : IDisposable
{
    const string Ending = ".answers";

    // One that a run used within this time may be in use.
    static readonly TimeSpan inUse = TimeSpan.FromHours(1);

    readonly string root, own;
    readonly long limit;
    readonly Action<string> say;
    readonly List<TeacherAnswerFile> files = [];
    readonly Dictionary<UInt128, (TeacherAnswerFile File, long At)> known = [];
    TeacherAnswerFile? writing;
    long used;
    bool full;

    TeacherAnswers(string root, string own, long limit, Action<string> say) =>
        (this.root, this.own, this.limit, this.say) = (root, own, limit, say);

    /// <summary>Batches that were asked for.</summary>
    public long Asked { get; private set; }

    /// <summary>Those of them whose answer was there.</summary>
    public long Found { get; private set; }

    /// <summary>Opens what is there for a teacher of which nothing is folded yet; null where there can be nothing, which is told.</summary>
    public static TeacherAnswers? Open(string folder, long limit, Classifier teacher, Precision precision, Action<string> say)
    {
        if (Identity(teacher, precision) is not { } identity)
        {
            say($"the teacher's answers are not shared: what {teacher.Name} computes does not follow from its weights alone");
            return null;
        }
        var answers = new TeacherAnswers(folder, Path.Combine(folder, identity), limit, say);
        try
        {
            Directory.CreateDirectory(answers.own);
            Directory.SetLastWriteTimeUtc(answers.own, DateTime.UtcNow);
            foreach (var path in Directory.EnumerateFiles(answers.own, "*" + Ending).Order(StringComparer.Ordinal))
            {
                var places = new List<(UInt128 Key, long At)>();
                var file = TeacherAnswerFile.Open(path, (key, at) => places.Add((key, at)));
                answers.files.Add(file);
                foreach (var (key, at) in places) answers.known.TryAdd(key, (file, at));
            }
            answers.used = Size(folder);
            say(string.Create(CultureInfo.InvariantCulture,
                $"the teacher's answers are shared in {folder}: {answers.known.Count:N0} batches of this teacher are there"));
            return answers;
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            answers.Dispose();
            say($"the teacher's answers are not shared: {FileTrouble.Report($"cannot use {folder}", e).Message}");
            return null;
        }
    }

    /// <summary>The teacher's answer for a batch, [N, C, H, W] on the CPU; computed where it is not there.</summary>
    public ClassifierOutput Answer(Tensor images, Func<ClassifierOutput> compute)
    {
        Asked++;
        var key = Key(images);
        if (known.TryGetValue(key, out var place) && place.File.Read(key, place.At) is { } answer)
        {
            Found++;
            return answer;
        }
        answer = compute();
        if (!full) Keep(key, answer);
        return answer;
    }

    /// <summary>What a run had of it, for its log; null where the teacher was not asked.</summary>
    public string? Summary => Asked == 0 ? null
        : string.Create(CultureInfo.InvariantCulture, $"the teacher's answers: {Found:N0} of {Asked:N0} batches were read from {root}");

    void Keep(UInt128 key, ClassifierOutput answer)
    {
        try
        {
            var before = writing?.Bytes ?? 0;
            if (writing is null) files.Add(writing = TeacherAnswerFile.Create(Path.Combine(own, Guid.NewGuid().ToString("N") + Ending)));
            known[key] = (writing, writing.Append(key, answer));
            used += writing.Bytes - before;
            if (used > limit && !MakeRoom()) Stop($"the answers there come to {DataSize.Text(limit)}, which they may");
        }
        catch (Exception e) when (FileTrouble.Is(e)) { Stop(FileTrouble.Report($"cannot write to {own}", e).Message); }
    }

    void Stop(string why)
    {
        full = true;
        say($"no more of the teacher's answers are kept: {why}");
    }

    // Removes the teachers that were not used for longest, until the rest has its place.
    bool MakeRoom()
    {
        var others = Directory.EnumerateDirectories(root).Where(folder => Path.GetFullPath(folder) != Path.GetFullPath(own))
            .Select(folder => (Folder: folder, Used: Directory.GetLastWriteTimeUtc(folder)))
            .Where(other => DateTime.UtcNow - other.Used > inUse).OrderBy(other => other.Used);
        foreach (var (folder, _) in others)
        {
            Directory.Delete(folder, recursive: true);
            if ((used = Size(root)) <= limit) return true;
        }
        return false;
    }

    static long Size(string folder) =>
        Directory.EnumerateFiles(folder, "*" + Ending, SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);

    static UInt128 Key(Tensor images)
    {
        var hash = new XxHash128();
        foreach (var size in images.Shape) hash.Append(BitConverter.GetBytes(size));
        hash.Append(images.Bytes());
        return hash.GetCurrentHashAsUInt128();
    }

    // All that decides an answer beside the images. Other kernels and another number of threads sum in another order.
    static string? Identity(Classifier teacher, Precision precision)
    {
        if (teacher is Ensemble || !teacher.Parameters().Any()) return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add($"1 {teacher.Name} {teacher.Classes} {precision} {Runtime.Version} {Runtime.Threads} {RuntimeInformation.ProcessArchitecture}");
        foreach (var name in new[] { "DISTILLSHARP_KERNELS", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE" })
            Add(Environment.GetEnvironmentVariable(name) ?? "");
        foreach (var line in Processor()) Add(line);
        foreach (var (name, tensor) in teacher.State())
        {
            Add($"{name} {tensor.DType} {string.Join(' ', tensor.Shape.ToArray())}");
            using var scope = TensorScope.Open();
            hash.AppendData(tensor.To(Device.Cpu).Contiguous().Bytes());
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..32];

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
    }

    static IEnumerable<string> Processor()
    {
        try
        {
            string[] facts = ["model name", "flags"];
            return [.. File.ReadLines("/proc/cpuinfo").Where(line => facts.Any(fact => line.StartsWith(fact, StringComparison.Ordinal)))
                .Distinct()];
        }
        catch (Exception e) when (FileTrouble.Is(e)) { return []; }
    }

    public void Dispose() => files.ForEach(file => file.Dispose());
}
