namespace DistillSharp.Formats.Pickle;

/// <summary>An inert object that a whitelisted global makes and that takes Python's <c>__setstate__</c>.</summary>
internal abstract class PickledObject
{
    /// <summary>Takes the state that the pickle gives (the BUILD opcode); a state that is no tuple comes as one argument.</summary>
    public abstract void Build(PickleArguments state);
}

/// <summary>An instance of a Python class that is only a bag of attributes, <c>argparse.Namespace</c> for one.</summary>
internal sealed class PickledInstance : PickledObject
{
    /// <summary>Rough bytes that one takes.</summary>
    public const int Size = 48;

    public PickleDict Attributes { get; private set; } = new();

    public override void Build(PickleArguments state)
    {
        if (state is [PickleDict attributes]) Attributes = attributes;
    }
}
