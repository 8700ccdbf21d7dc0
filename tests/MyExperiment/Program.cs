using DistillSharp.Cli;
using MyExperiment;

return DistillCommand.Run(args, Additions.Register);
