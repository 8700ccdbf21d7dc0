using BenchmarkDotNet.Running;
using DistillSharp.Benchmarks;

// `steps ...` measures whole training steps for compare.sh, `loader ...` the loader of photographs for loader.sh, `index FOLDER` how a
// set of shards opens for index.sh, `losses [ROUNDS]` what losses cost; anything else goes to BenchmarkDotNet.
if (args is ["steps", .. var rest])
{
    TrainingSteps.Run(rest);
    return 0;
}
if (args is ["loader", .. var given])
{
    LoaderSpeed.Run(given);
    return 0;
}
if (args is ["index", var folder])
{
    IndexSpeed.Run(folder);
    return 0;
}
if (args is ["losses", .. var rounds])
{
    LossCosts.Run(rounds);
    return 0;
}
// In this process: BenchmarkDotNet's own project would be built anew for each benchmark, and has not the native library.
var summaries = BenchmarkSwitcher.FromAssembly(typeof(TrainingSteps).Assembly).Run(["--inProcess", .. args]);
return summaries.All(summary => !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success)) ? 0 : 1;
