using DistillSharp.Cli;

return new Application(new Terminal(Console.Out, Console.Error), CommandList.All()).Run(args);
