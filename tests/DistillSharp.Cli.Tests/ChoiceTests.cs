namespace DistillSharp.Cli.Tests;

/// <summary>Words of an enumeration are the same in help, in messages and as they are accepted.</summary>
public class ChoiceTests
{
    [Fact]
    public void Every_choice_of_every_command_is_shown_and_taken_in_snake_case()
    {
        var commands = CommandList.All();
        var application = new Application(new Terminal(TextWriter.Null, TextWriter.Null), commands);
        var seen = 0;
        foreach (
            var (path, command) in commands.SelectMany(
                command =>
                    command is CliGroup group ? group.Members.Select(member => ($"{command.Name} {member.Name}", member))
                    : [(command.Name, command)]))
            foreach (var option in command.Options)
            {
                var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
                if (!type.IsEnum) continue;
                seen++;
                var words = Choice.Words(type);
                Assert.All(words, word => Assert.Matches("^[a-z0-9]+(_[a-z0-9]+)*$", word));
                Assert.Equal(string.Join('|', words), option.HelpName);
                foreach (var word in words)
                {
                    var given = application.Parse([.. path.Split(' '), "2", option.Name, word]);
                    Assert.DoesNotContain(given.Errors, error => error.Message.Contains(word, StringComparison.Ordinal));
                    Assert.Equal(word, Choice.Word((Enum)given.GetValue<object>(option.Name)!));
                }
            }
        Assert.Equal(5, seen);
    }

    [Fact]
    public void A_failure_is_one_object_where_json_is_asked_for()
    {
        var session = new Session();
        Assert.Equal(2, session.Run(CommandList.All(), "runs", "list", "--set", "train.lr=abc", "--json"));
        Assert.Contains("\"error\":\"--set train.lr=abc", session.Out);
        Assert.Single(session.Out.TrimEnd().Split('\n'));
        Assert.StartsWith("distill: --set train.lr=abc", session.Error);
    }

    [Fact]
    public void A_gpu_that_is_not_here_is_one_sentence()
    {
        if (DistillSharp.Torch.Runtime.CudaDevices > 0) return;
        var session = new Session();
        Assert.Equal(1, session.Run(CommandList.All(), "verify", ".", "--device", "cuda"));
        Assert.StartsWith("distill: there is no cuda:0: libtorch ", session.Error);
        Assert.Single(session.Error.TrimEnd().Split('\n'));
    }
}
