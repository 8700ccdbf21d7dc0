using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace DistillSharp.Runs;

/// <summary>The kinds of a <see cref="YamlValue"/>.</summary>
enum YamlKind
{
    Scalar,
    Sequence,
    Mapping,
}

/// <summary>
/// A YAML document as a tree with line numbers. Read from parser events without recursion and within limits, since the
/// file may come from anywhere; anchors and aliases are refused, as a few lines of them can stand for terabytes.
/// </summary>
sealed class YamlValue(YamlKind kind, string text, long line, bool quoted = false)
{
    const int DeepestNesting = 32;
    const int MostValues = 100_000;

    public YamlKind Kind { get; } = kind;

    /// <summary>A scalar's text.</summary>
    public string Text { get; } = text;

    /// <summary>The line it begins on, from 1.</summary>
    public long Line { get; } = line;

    /// <summary>Whether a scalar is written in quotes: then it is text whatever it looks like.</summary>
    public bool Quoted { get; } = quoted;

    /// <summary>A sequence's items.</summary>
    public List<YamlValue> Items { get; } = [];

    /// <summary>A mapping's entries in order, each key once.</summary>
    public List<KeyValuePair<string, YamlValue>> Entries { get; } = [];

    /// <summary>A mapping's value by key, or null.</summary>
    public YamlValue? this[string key] => Entries.Find(e => e.Key == key).Value;

    /// <summary>Reads one document. An empty text is an empty mapping.</summary>
    /// <param name="text">The YAML.</param>
    /// <param name="source">What to call it in messages: a file's path.</param>
    /// <exception cref="UsageException">It is no YAML, or more of it than is allowed; the message names source and line.</exception>
    public static YamlValue Parse(string text, string source)
    {
        var root = new YamlValue(YamlKind.Sequence, "", 1);
        var open = new Stack<(YamlValue Value, string? Key)>();
        open.Push((root, null));
        var count = 0;
        try
        {
            var parser = new Parser(new StringReader(text));
            while (parser.MoveNext())
            {
                var at = parser.Current!;
                var line = (long)at.Start.Line;
                switch (at)
                {
                    case AnchorAlias:
                        throw new UsageException($"{source}, line {line}: aliases (*name) are not supported here; write the value out");
                    case NodeEvent { Anchor.IsEmpty: false }:
                        throw new UsageException($"{source}, line {line}: anchors (&name) are not supported here");
                    case DocumentStart when root.Items.Count > 0:
                        throw new UsageException($"{source}, line {line}: a second document begins here; one is expected");
                    case Scalar scalar:
                        Add(new YamlValue(YamlKind.Scalar, scalar.Value, line, scalar.Style is ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted));
                        break;
                    case SequenceStart:
                        Open(new YamlValue(YamlKind.Sequence, "", line));
                        break;
                    case MappingStart:
                        Open(new YamlValue(YamlKind.Mapping, "", line));
                        break;
                    case SequenceEnd or MappingEnd:
                        open.Pop();
                        break;
                }
            }
        }
        catch (YamlException e)
        {
            throw new UsageException($"{source}, line {e.Start.Line}: not valid YAML: {(e.InnerException ?? e).Message}", e);
        }
        return root.Items is [var document] && !(document is { Kind: YamlKind.Scalar, Text: "", Quoted: false })
            ? document : new YamlValue(YamlKind.Mapping, "", 1);

        void Open(YamlValue value)
        {
            Add(value);
            if (open.Count > DeepestNesting)
                throw new UsageException($"{source}, line {value.Line}: nested more than {DeepestNesting} deep");
            open.Push((value, null));
        }

        void Add(YamlValue value)
        {
            if (++count > MostValues) throw new UsageException($"{source}, line {value.Line}: more than {MostValues} values");
            var (parent, key) = open.Pop();
            if (parent.Kind == YamlKind.Sequence) parent.Items.Add(value);
            else if (key is not null)
            {
                parent.Entries.Add(new(key, value));
                key = null;
            }
            else if (value.Kind != YamlKind.Scalar)
                throw new UsageException($"{source}, line {value.Line}: a key must be a plain word");
            else if (parent[value.Text] is not null)
                throw new UsageException($"{source}, line {value.Line}: '{value.Text}' is given twice");
            else key = value.Text;
            open.Push((parent, key));
        }
    }
}
