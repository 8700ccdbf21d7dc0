using DistillSharp.Data;

namespace DistillSharp.Cli.Commands;

sealed class DataCommand() : CliGroup(
    "data", "Check data sets, and write photographs as shards or as one file.", new CheckCommand(), new ShardCommand(), new PackCommand())
{
    sealed class CheckCommand : CliCommand
    {
        readonly CliArgument<string> root = new("ROOT", "Where the data set lies: a folder, an archive or a pattern of shards");
        readonly CliOption<string> set = new("--set", "Which data set it is", usual: "image-folder");

        public CheckCommand() : base("check", "Read every image of a data set by all cores, and list what is broken and what was skipped.",
            "distill data check pictures", "distill data check 'shards/{train-{000000..000012},val-000000}.tar' --set webdataset --json") =>
            Takes(root, set, Json);

        public override int Run(ParseResult given, Terminal terminal)
        {
            var check = WorkProgressView.During(
                terminal, progress => DataCheck.Of(Toolkit.Datasets[given.GetValue(set)!], given.GetValue(root)!, progress));
            if (given.GetValue(Json)) terminal.Json(check);
            else
            {
                foreach (var problem in check.Broken) terminal.Out.WriteLine($"{problem.File} {problem.Why}");
                terminal.Out.WriteLine(check.Found);
                terminal.Out.WriteLine($"{check.Read:N0} images read, {check.Broken.Count:N0} broken");
            }
            return check.Broken.Count == 0 ? 0 : 1;
        }
    }

    sealed class ShardCommand : CliCommand
    {
        readonly CliArgument<string> root = new("DIR", "The folder that holds train/ and val/");
        readonly CliOption<string> output = new("--out", "The folder to write, which does not exist yet") { Required = true };
        readonly CliOption<int> images = new("--images", "Images of one shard", usual: 1000);
        readonly CliOption<bool> skip = new("--skip-damaged", "Leave out images that cannot be read");

        public ShardCommand() : base("shard", "Write a folder of photographs as WebDataset's tar shards.",
            "distill data shard pictures --out shards") => Takes(root, output, images, skip, Json);

        public override int Run(ParseResult given, Terminal terminal)
        {
            var perShard = given.GetValue(images);
            if (perShard < 1) throw new UsageException($"--images is {perShard}; give 1 or more");
            var shards = WorkProgressView.During(terminal, progress => ShardWriter.Write(
                given.GetValue(root)!, given.GetValue(output)!, new ReadOptions(224, given.GetValue(skip)), perShard, progress));
            if (given.GetValue(Json)) terminal.Json(new { shards });
            else terminal.Out.WriteLine(
                $"{shards.Count} shard{(shards.Count == 1 ? "" : "s")} in {given.GetValue(output)}; train on them by data.set: "
                + $"webdataset, data.root: {given.GetValue(output)}");
            return 0;
        }
    }

    sealed class PackCommand : CliCommand
    {
        static readonly PackOptions usual = new();

        readonly CliArgument<string> root =
            new("DIR", "Where the photographs lie: the folder that holds train/ and val/, or a pattern of shards");
        readonly CliOption<string> set = new("--set", "Which data set it is", usual: "image-folder");
        readonly CliOption<string> output = new("--out", "The file to write, which does not exist yet") { Required = true };
        readonly CliOption<int> size = new("--size", "Images whose shorter side is longer are scaled to it", usual: usual.Size);
        readonly CliOption<int?> quality = new("--quality", $"Of scaled images as JPEG, 1 to 100 (default {usual.Quality})");
        readonly CliOption<bool> raw = new("--raw", "Keep all images as pixels: larger, and nothing to decode");
        readonly CliOption<bool> skip = new("--skip-damaged", "Leave out images that cannot be read");

        public PackCommand() : base("pack", "Write photographs as one file of smaller images, which is quicker to read.",
            "distill data pack pictures --out pictures.pack", "distill data pack imagenet --out imagenet.pack --size 256 --quality 95") =>
            Takes(root, set, output, size, quality, raw, skip, Json);

        public override int Run(ParseResult given, Terminal terminal)
        {
            var (asked, pixels) = (given.GetValue(quality), given.GetValue(raw));
            if (pixels && asked is not null) throw new UsageException("--quality is for JPEG files, and --raw writes none; give one");
            var (description, file) = (Toolkit.Datasets[given.GetValue(set)!], given.GetValue(output)!);
            var options = new PackOptions(given.GetValue(size), pixels ? null : asked ?? usual.Quality);
            var reading = new ReadOptions(description.Size, description.HasSizes && given.GetValue(skip));
            using var stop = new StopOnInterrupt(terminal, "stopping; nothing is kept");
            try
            {
                var packed = WorkProgressView.During(terminal, progress => PackWriter.Write(
                    description.Load(given.GetValue(root)!, reading with { Progress = progress }), file, options, given.GetValue(skip),
                    progress, stop.Token));
                if (given.GetValue(Json)) terminal.Json(packed);
                else
                {
                    foreach (var problem in packed.LeftOut) terminal.Out.WriteLine($"left out: {problem.File} {problem.Why}");
                    terminal.Out.WriteLine($"{packed.Images:N0} images in {file}, {packed.Scaled:N0} of them scaled, {packed.Bytes:N0} "
                        + $"bytes; train on it by data.root: {file}");
                }
                return 0;
            }
            catch (OperationCanceledException e) { throw new UserException($"stopped; '{file}' was not written", e); }
        }
    }
}
