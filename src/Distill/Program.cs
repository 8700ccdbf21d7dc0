return DistillSharp.Cli.DistillCommand.Run(args);
