namespace DistillSharp.Cli.Tests;

public class MistakeTests
{
    [Theory]
    [InlineData("", "a command is missing; it is one of probe ('distill --help' says what each does)")]
    [InlineData("prbe", "there is no command 'prbe'; did you mean 'probe'?")]
    [InlineData("zzzzzz", "there is no command 'zzzzzz'; the commands are probe")]
    [InlineData("-x", "'distill' has no option '-x'")]
    [InlineData("--vresion", "'distill' has no option '--vresion'; did you mean '--version'?")]
    [InlineData("probe", "'distill probe' needs RECIPE and --root ('distill probe --help' shows its use)")]
    [InlineData("probe x", "'distill probe' needs --root ('distill probe --help' shows its use)")]
    [InlineData("probe x --root", "--root needs a value ('distill probe --help' shows its use)")]
    [InlineData("probe x y --root a", "'distill probe' takes no argument 'y' here ('distill probe --help' shows its use)")]
    [InlineData("probe x --rot a", "'distill probe' has no option '--rot'; did you mean '--root'?")]
    [InlineData("probe x --root a --jsno=1", "'distill probe' has no option '--jsno=1'; did you mean '--json'?")]
    [InlineData("probe x --root a --verbsoe", "'distill probe' has no option '--verbsoe'; did you mean '--verbose'?")]
    [InlineData("probe --jsno --root a", "'distill probe' has no option '--jsno'; did you mean '--json'?")]
    [InlineData("probe x --root --jsno", "'distill probe' has no option '--jsno'; did you mean '--json'?")]
    [InlineData("probe x --root a --epochs", "--epochs needs a value ('distill probe --help' shows its use)")]
    [InlineData("probe x --root a --epochs ten", "--epochs takes a whole number, not 'ten'")]
    [InlineData("probe x --root a --epochs=99999999999", "--epochs takes a whole number, not '99999999999'")]
    [InlineData("probe x --root a --epochs 1 --epochs 2", "--epochs is given more than once")]
    [InlineData("probe x --root a --rate 0,05", "--rate takes a number, not '0,05'")]
    [InlineData("probe x --root a --shade drak", "--shade takes one of light, dark, not 'drak'")]
    [InlineData("probe x --root a --shade 7", "--shade takes one of light, dark, not '7'")]
    public void Wrong_use_gives_one_sentence_and_2(string line, string sentence)
    {
        var session = new Session();
        var code = session.Run([new ProbeCommand((_, _, _) => 0)], line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal($"distill: {sentence}\n", session.Error);
        Assert.Equal("", session.Out);
        Assert.Equal(2, code);
    }

    [Theory]
    [InlineData("--rate", "1e-3", 1e-3)]
    [InlineData("--rate", "-0.5", -0.5)]
    [InlineData("--rate=0.05", null, 0.05)]
    public void Numbers_are_read_as_written(string option, string? value, double expected)
    {
        double? read = null;
        var session = new Session();
        string[] arguments = value is null ? [option] : [option, value];
        Assert.Equal(0, session.Probe((probe, given, _) => { read = given.GetValue(probe.Rate); return 0; }, arguments));
        Assert.Equal(expected, read);
    }

    [Fact]
    public void Repeated_options_gather_and_at_signs_name_no_file()
    {
        string[]? set = null;
        var session = new Session();
        Assert.Equal(0, session.Probe((probe, given, _) => { set = given.GetValue(probe.Set); return 0; }, "--set", "a=1", "--set", "@b"));
        Assert.Equal(["a=1", "@b"], set!);
    }
}
