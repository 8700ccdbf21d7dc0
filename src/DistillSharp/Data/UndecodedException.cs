namespace DistillSharp.Data;

/// <summary>A file that holds no image, or a damaged one; the message is a sentence without its subject.</summary>
sealed class UndecodedException(string message, Exception? cause = null) : Exception(message, cause);
