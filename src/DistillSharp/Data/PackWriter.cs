using DistillSharp.Formats.Files;

namespace DistillSharp.Data;

/// <summary>How photographs are packed.</summary>
/// <param name="Size">Images whose shorter side is longer are scaled to it.</param>
/// <param name="Quality">Of the JPEG files that scaled images become, 1 to 100; null to keep all images as their pixels.</param>
public sealed record PackOptions(int Size = 400, int? Quality = 90)
{
    internal void Validate()
    {
        if (Size is < 1 or > 1 << 15) throw new UsageException($"images cannot be scaled to a shorter side of {Size}; give 1 to {1 << 15}");
        if (Quality is < 1 or > 100) throw new UsageException($"a JPEG file's quality is 1 to 100, not {Quality}");
    }
}

/// <summary>What was packed.</summary>
/// <param name="Images">Images of both parts.</param>
/// <param name="Scaled">How many of them were scaled.</param>
/// <param name="Bytes">The file's length.</param>
/// <param name="LeftOut">What cannot be read and was left out.</param>
public sealed record PackedSet(int Images, int Scaled, long Bytes, IReadOnlyList<ImageProblem> LeftOut);

/// <summary>Writes a set of photographs as one file, its images small enough to be decoded quickly.</summary>
public static class PackWriter
{
    /// <summary>
    /// Writes every image: as its file's bytes where its shorter side is not longer than asked for, else scaled, as JPEG; or all as pixels.
    /// Images keep their order, so that a set of which none is scaled gives the same batches. Every image is decoded by all cores, and no
    /// more than a few are in memory at a time.
    /// </summary>
    /// <param name="data">A data set whose images are files.</param>
    /// <param name="destination">The file to write, which does not exist yet; it is there as a whole or not at all.</param>
    /// <param name="options">How images are packed.</param>
    /// <param name="skipDamaged">Whether images that cannot be read are left out; otherwise they are an error.</param>
    /// <param name="progress">Hears of each image that was written.</param>
    /// <param name="stop">Ends the work; nothing is left of it.</param>
    /// <exception cref="UsageException">The set's images are no files, or an option is impossible.</exception>
    /// <exception cref="UserException">An image cannot be read, or the file not written or is there already.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static PackedSet Write(
        Dataset data, string destination, PackOptions options, bool skipDamaged = false, IProgress<WorkProgress>? progress = null,
        CancellationToken stop = default)
    {
        options.Validate();
        if (data is not { Train: PhotographSet train, Test: PhotographSet test })
            throw new UsageException($"the images of {data.Name} are no files of their own; photographs can be packed");
        if (Path.Exists(destination)) throw new UserException($"'{destination}' exists already; name a file that does not");
        var work = new Packing(options, skipDamaged, train.Count + test.Count, progress, stop);
        AtomicFile.Write(destination, to =>
        {
            var file = (FileStream)to;
            file.Write(new byte[PackHeader.Size]);
            // The index comes behind the images: until all are written it lies in a file of its own.
            using var entries = new FileStream(
                $"{file.Name}.index", FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
            var index = new PhotographIndexWriter(entries);
            work.Write(file, index, 0, train);
            work.Write(file, index, 1, test);
            var start = file.Position;
            index.EndBehind(file, new()
            {
                Containers = [.. PhotographPack.Parts.Select(part => new PhotographContainer(part, -1, 0))],
                Classes = [.. data.ClassNames],
            });
            PackHeader.Write(file, start);
        });
        return new(work.Written, work.Scaled, new FileInfo(destination).Length, work.LeftOut);
    }

    sealed class Packing(PackOptions options, bool skipDamaged, int total, IProgress<WorkProgress>? progress, CancellationToken stop)
    {
        static readonly PhotographReader stored = new(Scaled: false, Upright: false);

        public int Written { get; private set; }

        public int Scaled { get; private set; }

        public List<ImageProblem> LeftOut { get; } = [];

        // As many images as keep the cores busy are prepared at once, and written in their order.
        public void Write(FileStream to, PhotographIndexWriter index, int part, PhotographSet set)
        {
            var (before, wave) = (Written, new Packed[Environment.ProcessorCount * 4]);
            for (var start = 0; start < set.Count; start += wave.Length)
            {
                var count = Math.Min(wave.Length, set.Count - start);
                Parallel.For(0, count, new ParallelOptions { CancellationToken = stop }, i => wave[i] = Pack(set, start + i));
                for (var i = 0; i < count; i++)
                {
                    if (wave[i].Damage is { } damage)
                    {
                        if (!skipDamaged) throw damage;
                        LeftOut.Add(new(damage.File, damage.Why));
                    }
                    else
                    {
                        index.Add(new(part, to.Position, wave[i].Content!.Length, set.Labels[start + i], set.LocalName(start + i)));
                        to.Write(wave[i].Content);
                        Written++;
                        if (wave[i].IsScaled) Scaled++;
                    }
                    progress?.Report(new("packing images", Written + LeftOut.Count, total));
                }
            }
            if (Written == before) throw new UserException($"no image of {PhotographPack.Parts[part]} can be read");
        }

        Packed Pack(PhotographSet set, int index)
        {
            try
            {
                using var file = set.OpenFile(index);
                var image = stored.Read(file.Span, set.FileName(index));
                var (orientation, large) = (PhotographReader.NumberOf(file.Span), Math.Min(image.Height, image.Width) > options.Size);
                if (large) image = Smaller(image);
                return options.Quality is not { } quality ? new(RawImage.Write(image, orientation), large, null)
                    : large ? new(Encoded(image, quality, orientation), large, null) : new(file.Span.ToArray(), large, null);
            }
            catch (DamagedImageException damage)
            {
                return new(null, false, damage);
            }
        }

        DecodedImage Smaller(DecodedImage image)
        {
            ImageView view = new(image.Pixels, image.Height, image.Width, 3);
            var (height, width) = ImageScaling.Fit(image.Height, image.Width, options.Size);
            return new(ImageScaling.Scale(view, ImageArea.Of(view), height, width), height, width);
        }

        static byte[] Encoded(DecodedImage image, int quality, int orientation)
        {
            var file = ImageCodec.EncodeJpeg(image.Pixels, image.Height, image.Width, quality);
            return orientation > 1 ? Orientation.Noted(file, orientation) : file;
        }

        readonly record struct Packed(byte[]? Content, bool IsScaled, DamagedImageException? Damage);
    }
}
