using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace DistillSharp.Experiments.Recipes;

/// <summary>The kinds of a <see cref="YamlValue"/>.</summary>
enum YamlKind
{
    Scalar,
    Sequence,
    Mapping,
}

/// <summary>
/// A YAML document as a tree that knows where each value stands. Read from parser events without recursion and within limits,
/// since the file may come from anywhere; anchors and aliases are refused, as a few lines of them can stand for terabytes.
/// </summary>
sealed class YamlValue(YamlKind kind, string text, YamlPlace place, bool quoted = false)
{
    const int DeepestNesting = 32;
    const int MaxValues = 100_000;

    HashSet<string>? keys;

    public YamlKind Kind { get; } = kind;

    public string Text { get; } = text;

    /// <summary>Where it begins; for a value of a mapping, where its key stands.</summary>
    public YamlPlace Place { get; } = place;

    /// <summary>Whether a scalar is written in quotes or as a block: then it is text whatever it looks like.</summary>
    public bool Quoted { get; } = quoted;

    /// <summary>Whether this is YAML's way to say "nothing": <c>~</c>, <c>null</c> or no value at all.</summary>
    public bool IsNull => Kind == YamlKind.Scalar && !Quoted && Text is "" or "~" or "null" or "Null" or "NULL";

    public List<YamlValue> Items { get; } = [];

    /// <summary>A mapping's entries in order, each key once.</summary>
    public List<KeyValuePair<string, YamlValue>> Entries { get; } = [];

    /// <summary>A mapping's value by key, or null.</summary>
    public YamlValue? this[string key] => Entries.Find(e => e.Key == key).Value;

    /// <summary>A mistake in it, told with its place.</summary>
    public UsageException Mistake(string what, Exception? cause = null) => new($"{Place}: {what}", cause);

    public static YamlValue Null(YamlPlace place) => new(YamlKind.Scalar, "", place);

    /// <summary>Adds an entry to a mapping or replaces the one of that key.</summary>
    public void Set(string key, YamlValue value)
    {
        var at = Entries.FindIndex(e => e.Key == key);
        if (at >= 0) Entries[at] = new(key, value);
        else Entries.Add(new(key, value));
    }

    /// <summary>Reads one document; an empty text is an empty mapping. Messages name the source and, where asked for, the line.</summary>
    public static YamlValue Parse(string text, string source, bool lines = true)
    {
        var root = new YamlValue(YamlKind.Sequence, "", At(1));
        var open = new Stack<(YamlValue Value, string? Key, YamlPlace KeyPlace)>();
        open.Push((root, null, default));
        var count = 0;
        Mark? reached = null;
        try
        {
            var parser = new Parser(new StringReader(text));
            while (parser.MoveNext())
            {
                var at = parser.Current!;
                reached = at.Start;
                var place = At(at.Start.Line);
                switch (at)
                {
                    case AnchorAlias:
                        throw new UsageException($"{place}: aliases (*name) are not supported here; write the value out");
                    case NodeEvent { Anchor.IsEmpty: false }:
                        throw new UsageException($"{place}: anchors (&name) are not supported here");
                    case NodeEvent { Tag.IsEmpty: false }:
                        throw new UsageException($"{place}: tags (!name) are not supported here");
                    case DocumentStart when root.Items.Count > 0:
                        throw new UsageException($"{place}: a second document begins here; one is expected");
                    case Scalar scalar:
                        Add(new(YamlKind.Scalar, scalar.Value, place, scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any)));
                        break;
                    case SequenceStart:
                        Open(new(YamlKind.Sequence, "", place));
                        break;
                    case MappingStart:
                        Open(new(YamlKind.Mapping, "", place));
                        break;
                    case SequenceEnd or MappingEnd:
                        open.Pop();
                        break;
                }
            }
        }
        catch (YamlException e) { throw new UsageException($"{At(e.Start.Line)}: not valid YAML: {Reason(e.InnerException ?? e)}", e); }
        catch (Exception e) when (
            e is ArgumentException or InvalidOperationException or ArithmeticException or FormatException or IndexOutOfRangeException)
        {
            // What the parser's own number and escape conversions throw at damaged text.
            throw new UsageException($"{At(reached?.Line ?? 1)}: not valid YAML after this place: {Reason(e)}", e);
        }
        return root.Items is [var document] && !(document is { Kind: YamlKind.Scalar, Text: "", Quoted: false })
            ? document : new YamlValue(YamlKind.Mapping, "", At(1));

        YamlPlace At(long line) => new(source, lines ? line : 0);

        void Open(YamlValue value)
        {
            var placed = Add(value);
            if (open.Count > DeepestNesting) throw value.Mistake($"nested more than {DeepestNesting} deep");
            open.Push((placed, null, default));
        }

        YamlValue Add(YamlValue value)
        {
            if (++count > MaxValues) throw value.Mistake($"more than {MaxValues} values");
            var (parent, key, keyPlace) = open.Pop();
            if (parent.Kind == YamlKind.Sequence) parent.Items.Add(value);
            else if (key is not null)
            {
                value = new YamlValue(value.Kind, value.Text, keyPlace, value.Quoted);
                parent.Entries.Add(new(key, value));
                key = null;
            }
            else if (value.Kind != YamlKind.Scalar) throw value.Mistake("a key must be a plain word");
            else if (!(parent.keys ??= []).Add(value.Text)) throw value.Mistake($"'{value.Text}' is given twice");
            else (key, keyPlace) = (value.Text, value.Place);
            open.Push((parent, key, keyPlace));
            return value;
        }
    }

    // The parser repeats the place in front of what it has to say.
    static string Reason(Exception e) =>
        e.Message.TrimEnd('.') is ['(', ..] message && message.IndexOf("): ", StringComparison.Ordinal) is > 0 and var end
            ? message[(end + 3)..] : e.Message.TrimEnd('.');
}

/// <summary>Where a value of a recipe comes from.</summary>
/// <param name="Source">A file, or an option of the command line.</param>
/// <param name="Line">The line, from 1; 0 where lines say nothing.</param>
readonly record struct YamlPlace(string Source, long Line)
{
    public override string ToString() => Line > 0 ? $"{Source}:{Line}" : Source;
}
