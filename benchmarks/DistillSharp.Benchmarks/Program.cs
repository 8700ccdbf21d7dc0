using BenchmarkDotNet.Running;
using DistillSharp.Benchmarks;

// `steps ...` measures whole training steps for compare.sh; anything else goes to BenchmarkDotNet.
if (args is ["steps", .. var rest])
{
    TrainingSteps.Run(rest);
    return 0;
}
BenchmarkSwitcher.FromAssembly(typeof(TrainingSteps).Assembly).Run(args);
return 0;
