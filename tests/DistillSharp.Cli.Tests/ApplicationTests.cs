namespace DistillSharp.Cli.Tests;

public class ApplicationTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_commands_answer_is_the_exit_code(int answer)
    {
        var session = new Session();
        Assert.Equal(answer, session.Probe((_, _, terminal) => { terminal.Out.Write("said"); return answer; }));
        Assert.Equal("said", session.Out);
        Assert.Equal("", session.Error);
    }

    public static TheoryData<Exception, int, string> Failures => new()
    {
        { new UserException("no such file: a.pth"), 1, "distill: no such file: a.pth\n" },
        { new UsageException("unknown key 'epoch'"), 2, "distill: unknown key 'epoch'\n" },
        { new TypeInitializationException("Runtime", new UserException("libtorch is missing")), 1, "distill: libtorch is missing\n" },
        { new AggregateException(new UserException("a bad image")), 1, "distill: a bad image\n" },
        { new IOException("No space left on device : '/data/run'"), 1, "distill: No space left on device : '/data/run'\n" },
        { new UnauthorizedAccessException("Access to the path '/x' is denied."), 1, "distill: Access to the path '/x' is denied.\n" },
        { new InvalidOperationException("odd"), 1, "distill: internal error: odd (run again with --verbose for the trace)\n" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_failure_is_one_line_and_a_code(Exception failure, int code, string line)
    {
        var session = new Session();
        Assert.Equal(code, session.Probe((_, _, _) => throw failure));
        Assert.Equal(line, session.Error);
        Assert.Equal("", session.Out);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Verbose_adds_the_trace_wherever_it_stands(bool before)
    {
        var session = new Session();
        Func<ProbeCommand, System.CommandLine.ParseResult, Terminal, int> work = (_, _, _) => throw new InvalidOperationException("odd");
        var code = before
            ? session.Run([new ProbeCommand(work)], "--verbose", "probe", "recipe.yaml", "--root", "data")
            : session.Probe(work, "--verbose");
        Assert.Equal(1, code);
        Assert.StartsWith("distill: internal error: odd\nSystem.InvalidOperationException: odd\n   at ", session.Error);
    }

    [Fact]
    public void Version_is_printed_without_the_commit()
    {
        var session = new Session();
        Assert.Equal(0, session.Run([], "--version"));
        Assert.Matches(@"^distill \d+\.\d+\.\d+\n$", session.Out);
    }

    [Fact]
    public void Help_ends_with_the_examples()
    {
        foreach (
            var arguments in new string[][] { ["probe", "--help"], ["probe", "-h"], ["help", "probe"], ["probe", "--bogus", "--help"] })
        {
            var session = new Session();
            Assert.Equal(0, session.Run([new ProbeCommand((_, _, _) => 1)], arguments));
            Assert.Contains("Probe the frame.", session.Out);
            Assert.EndsWith("Example:\n  distill probe recipe.yaml --root data\n", session.Out);
            Assert.Equal("", session.Error);
        }
    }

    [Fact]
    public void Json_is_one_line_in_snake_case()
    {
        var session = new Session();
        session.Probe((_, _, terminal) => { terminal.Json(new { Acc1 = 72.63, DataRoot = "a/<b>é" }); return 0; });
        Assert.Equal("{\"acc1\":72.63,\"data_root\":\"a/<b>é\"}\n", session.Out);
    }

    [Fact]
    public void Styled_output_is_plain_where_there_is_no_terminal()
    {
        var session = new Session();
        session.Probe((_, _, terminal) =>
        {
            terminal.StyledOut.Write(new Spectre.Console.Markup("[red]answer[/]\n"));
            terminal.StyledError.Write(new Spectre.Console.Markup("[bold]message[/]\n"));
            return 0;
        });
        Assert.Equal("answer\n", session.Out);
        Assert.Equal("message\n", session.Error);
    }
}
