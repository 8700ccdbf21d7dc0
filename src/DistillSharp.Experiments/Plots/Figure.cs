using System.ComponentModel;
using System.Diagnostics;

namespace DistillSharp.Experiments.Plots;

/// <summary>A finished picture.</summary>
/// <param name="Svg">The SVG document.</param>
/// <param name="Width">Its width in pixels.</param>
/// <param name="Height">Its height in pixels.</param>
public sealed record Figure(string Svg, int Width, int Height)
{
    /// <summary>The command that turns SVG into PNG.</summary>
    public const string Converter = "rsvg-convert";

    /// <summary>Writes the picture; the file's ending says how.</summary>
    /// <param name="path">A path ending in <c>.svg</c> or <c>.png</c>.</param>
    /// <param name="zoom">Pixels of the PNG for each of the picture; 3 prints well over a page's width.</param>
    /// <returns>The file's own size in pixels.</returns>
    /// <exception cref="UsageException">The ending is another.</exception>
    /// <exception cref="UserException">The file cannot be written, or <c>rsvg-convert</c> is missing for PNG.</exception>
    public (int Width, int Height) Save(string path, double zoom = 3)
    {
        CheckEnding(path);
        if (Path.GetExtension(path).Equals(".svg", StringComparison.OrdinalIgnoreCase))
        {
            AtomicFile.Write(path, Encoding.UTF8.GetBytes(Svg));
            return (Width, Height);
        }
        var png = ToPng(zoom);
        AtomicFile.Write(path, png);
        var (height, width) = ImageCodec.Size(png);
        return (width, height);
    }

    /// <summary>Refuses a file whose ending is no kind of picture, before time is spent on drawing.</summary>
    /// <exception cref="UsageException">The ending is neither <c>.svg</c> nor <c>.png</c>.</exception>
    public static void CheckEnding(string path)
    {
        if (Path.GetExtension(path).ToLowerInvariant() is not (".svg" or ".png"))
            throw new UsageException($"cannot tell the kind of picture from '{path}': let it end in .svg or .png");
    }

    /// <summary>The picture as PNG, by <c>rsvg-convert</c>.</summary>
    /// <param name="zoom">Pixels of the PNG for each of the picture.</param>
    /// <param name="converter">The command, where it is not <see cref="Converter"/>.</param>
    /// <exception cref="UserException">The command is missing or fails.</exception>
    public byte[] ToPng(double zoom = 3, string converter = Converter)
    {
        var start =
            new ProcessStartInfo(converter, ["--format", "png", "--zoom", zoom.ToString(CultureInfo.InvariantCulture), "--unlimited"])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            };
        try
        {
            using var process = Process.Start(start)!;
            using var png = new MemoryStream();
            var reading = process.StandardOutput.BaseStream.CopyToAsync(png);
            var complaint = process.StandardError.ReadToEndAsync();
            try
            {
                process.StandardInput.Write(Svg);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended early; its own words say why.
            }
            Task.WaitAll(reading, complaint);
            process.WaitForExit();
            if (process.ExitCode != 0 || png.Length == 0)
                throw new UserException($"{converter} could not draw the picture: {complaint.Result.Trim()}");
            return png.ToArray();
        }
        catch (Win32Exception e)
        {
            throw new UserException($"PNG pictures need the command {converter}, which was not found; install it (Debian: apt-get install "
                + "librsvg2-bin) or let the file end in .svg", e);
        }
    }
}
