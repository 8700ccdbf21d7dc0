namespace DistillSharp.Cli;

/// <summary>An option of a command: <c>--name VALUE</c>, with the usual value for where it is left out.</summary>
sealed class CliOption<T> : Option<T>
{
    /// <param name="name">As the user types it.</param>
    /// <param name="description">What it decides, for the help page.</param>
    /// <param name="help">What stands for its value on the help page; null for its name.</param>
    public CliOption(string name, string description, string? help = null) : base(name) => (Description, HelpName) = (description, help);

    public CliOption(string name, string description, T usual, string? help = null) : this(name, description, help) =>
        DefaultValueFactory = _ => usual;
}

/// <summary>An argument of a command, known by its place.</summary>
class CliArgument<T> : Argument<T>
{
    public CliArgument(string name, string description) : base(name) => Description = description;
}
