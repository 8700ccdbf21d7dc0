namespace DistillSharp;

/// <summary>
/// A failure that the user can mend. The message is one clear sentence or a short list: what is wrong, in which file
/// and line where there is one, and what would be right. The command line prints it without a stack trace and exits with 1.
/// </summary>
public class UserException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>
    /// More lines for who asks for them (<c>--verbose</c>), for example every name of a list that the message cuts; null for none.
    /// </summary>
    public string? Details { get; init; }
}

/// <summary>
/// The request itself was wrong: an unknown option, name or recipe key, or settings that contradict each other.
/// The command line exits with 2.
/// </summary>
public class UsageException(string message, Exception? inner = null) : UserException(message, inner);
