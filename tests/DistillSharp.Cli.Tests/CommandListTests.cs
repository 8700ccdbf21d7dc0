namespace DistillSharp.Cli.Tests;

/// <summary>What holds for every command of the tool.</summary>
public class CommandListTests
{
    [Fact]
    public void Every_command_says_what_it_does_and_its_examples_parse()
    {
        var commands = CommandList.All();
        var application = new Application(new Terminal(TextWriter.Null, TextWriter.Null), commands);
        Assert.All(commands, command => Check(command, command.Name));

        void Check(CliCommand command, string path)
        {
            Assert.False(string.IsNullOrWhiteSpace(command.Description), $"{command.Name} has no description");
            Assert.NotEmpty(command.Examples);
            if (command is CliGroup group)
            {
                Assert.NotEmpty(group.Members);
                foreach (var member in group.Members) Check(member, $"{path} {member.Name}");
                return;
            }
            foreach (var example in command.Examples)
            {
                Assert.StartsWith($"distill {path}", example);
                var given = application.Parse(example.Split(' ')[1..]);
                Assert.True(given.Errors.Count == 0, $"the example '{example}' does not parse: {string.Join("; ", given.Errors)}");
                Assert.Same(command, given.CommandResult.Command);
            }
            Assert.All(
                command.Options, option =>
                    Assert.False(string.IsNullOrWhiteSpace(option.Description), $"{command.Name} {option.Name} has no description"));
            Assert.All(
                command.Arguments, argument =>
                    Assert.False(string.IsNullOrWhiteSpace(argument.Description), $"{command.Name} {argument.Name} has no description"));
        }
    }

    [Fact]
    public void The_help_page_lists_every_command()
    {
        var session = new Session();
        Assert.Equal(0, session.Run(CommandList.All(), "--help"));
        Assert.All(CommandList.All(), command => Assert.Contains($"  {command.Name} ", session.Out));
    }
}
