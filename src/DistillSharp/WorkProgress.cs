namespace DistillSharp;

/// <summary>How far long work has come.</summary>
/// <param name="Work">What is being done, in words: the same as long as it is the same work.</param>
/// <param name="Done">How much of it is done.</param>
/// <param name="Total">How much there is in all; 0 where that is not known.</param>
public readonly record struct WorkProgress(string Work, long Done = 0, long Total = 0);
