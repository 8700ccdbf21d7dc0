using BenchmarkDotNet.Running;
using DistillSharp.Benchmarks;

// `steps ...` measures whole training steps for compare.sh, `losses [ROUNDS]` what losses cost; anything else goes to BenchmarkDotNet.
if (args is ["steps", .. var rest])
{
    TrainingSteps.Run(rest);
    return 0;
}
if (args is ["losses", .. var rounds])
{
    LossCosts.Run(rounds);
    return 0;
}
BenchmarkSwitcher.FromAssembly(typeof(TrainingSteps).Assembly).Run(args);
return 0;
