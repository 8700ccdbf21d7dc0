using System.Text;

namespace DistillSharp.Tests.Formats;

/// <summary>
/// Feeds damaged copies of a valid file to a reader. The reader may return or throw <see cref="UserException"/>, in good
/// time and within its memory; anything else fails the test with the seed of the case.
/// DISTILLSHARP_FUZZ=N sets the number of cases.
/// </summary>
static class Fuzz
{
    static readonly byte[] interesting =
        [0, 1, 0x7f, 0x80, 0xff, (byte)'(', (byte)'.', (byte)'}', (byte)']', (byte)'R', (byte)'b', (byte)'q', (byte)'h', 0x94, 0x95, 0x8d,
            (byte)'{', (byte)'"', (byte)'9'];

    public static int Cases { get; } = int.TryParse(Environment.GetEnvironmentVariable("DISTILLSHARP_FUZZ"), out var cases) ? cases
        : 10_000;

    /// <summary>
    /// Runs the cases over the valid files in turn; returns how many of them the reader accepted. It may allocate so many bytes for each of
    /// a file's.
    /// </summary>
    public static int Run(IReadOnlyList<byte[]> valid, Action<byte[]> read, long bytesPerByte = 10)
    {
        var accepted = 0;
        foreach (var file in valid) Check(file, read, bytesPerByte, "the unchanged file", ref accepted);
        Assert.Equal(valid.Count, accepted);
        for (var seed = 0; seed < Cases; seed++)
            Check(Damage(valid[seed % valid.Count], new Random(seed)), read, bytesPerByte, $"seed {seed}", ref accepted);
        return accepted - valid.Count;
    }

    static void Check(byte[] file, Action<byte[]> read, long bytesPerByte, string which, ref int accepted)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var started = Environment.TickCount64;
        try
        {
            read(file);
            accepted++;
        }
        catch (UserException refusal)
        {
            Assert.False(string.IsNullOrWhiteSpace(refusal.Message));
        }
        catch (Exception other)
        {
            Assert.Fail($"{which}: {other}\n{Convert.ToHexString(file.AsSpan(0, Math.Min(file.Length, 4096)))}");
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(
            allocated <= bytesPerByte * file.Length + (2 << 20), $"{which}: {allocated} bytes allocated for a file of {file.Length}");
        Assert.True(Environment.TickCount64 - started < 30_000, $"{which}: took {Environment.TickCount64 - started} ms");
    }

    static byte[] Damage(byte[] file, Random random)
    {
        var damaged = new List<byte>(file);
        for (var left = 1 + random.Next(4); left > 0 && damaged.Count > 0; left--)
        {
            var at = random.Next(damaged.Count);
            var length = Math.Min(damaged.Count - at, 1 + random.Next(random.Next(2) == 0 ? 4 : 64));
            switch (random.Next(8))
            {
                case 0: damaged[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: damaged[at] = (byte)random.Next(256); break;
                case 2: damaged[at] = interesting[random.Next(interesting.Length)]; break;
                case 3: damaged.RemoveRange(at, length); break;
                case 4: damaged.InsertRange(at, damaged.GetRange(random.Next(damaged.Count - length + 1), length)); break;
                case 5: damaged.InsertRange(at, Enumerable.Repeat(interesting[random.Next(interesting.Length)], length)); break;
                case 6: Number(damaged, at, random); break;
                default:
                    if (random.Next(4) == 0) damaged.RemoveRange(at, damaged.Count - at);
                    break;
            }
        }
        return [.. damaged];
    }

    /// <summary>Writes a number that lengths and offsets stumble over, in binary or digits.</summary>
    static void Number(List<byte> file, int at, Random random)
    {
        long[] numbers = [0, -1, 1, file.Count, int.MaxValue, uint.MaxValue, long.MaxValue, long.MinValue, 1L << 40, random.NextInt64()];
        var number = numbers[random.Next(numbers.Length)];
        var bytes = random.Next(3) switch
        {
            0 => BitConverter.GetBytes(number),
            1 => BitConverter.GetBytes((int)number),
            _ => Encoding.ASCII.GetBytes(number.ToString()),
        };
        for (var i = 0; i < bytes.Length && at + i < file.Count; i++) file[at + i] = bytes[i];
    }
}
