using DistillSharp.Methods;

namespace DistillSharp.Tests.Methods;

public class MethodCardTests
{
    static IReadOnlyList<MethodCard> Cards =>
        [.. DistillationMethods.Names.Select(name => MethodCard.Of(DistillationMethods.Create(name)))];

    [Fact]
    public void Every_method_says_what_it_is()
    {
        Assert.All(Cards, card => Assert.All(
            new[] { card.Formula, card.Source, card.Student, card.Teacher, card.Defaults }, text =>
                Assert.False(string.IsNullOrEmpty(text), card.Name)));
        Assert.Equal(
            new MethodCard(
                "sp", "1/N^2 ||G(s) - G(t)||^2, G = similarities of the images of a batch", "Tung, Mori, ICCV 2019, arXiv 1907.09682",
                    "stages", "stages",
                "weight 3000: the public benchmarks'"),
            Cards.Single(card => card.Name == "sp"));
    }

    [Fact]
    public void The_page_shows_the_table()
    {
        var table = MethodCard.Markdown(Cards);
        var written = Path.Combine(SourceTree.Root, "artifacts/methods.md");
        if (File.ReadAllText(Path.Combine(SourceTree.Root, "docs/methods.md")).Contains(table)) return;
        File.WriteAllText(written, table);
        Assert.Fail("docs/methods.md does not show the methods as they are; its table now lies in artifacts/methods.md");
    }
}
