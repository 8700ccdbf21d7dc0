namespace DistillSharp.Formats.Pickle;

/// <summary>A known call has arguments that it cannot have.</summary>
internal sealed class PickleMismatchException(string message) : UserException(message);
