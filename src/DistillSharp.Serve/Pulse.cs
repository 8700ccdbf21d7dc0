namespace DistillSharp.Serve;

/// <summary>Wakes all who wait for the next beat.</summary>
sealed class Pulse
{
    TaskCompletionSource next = New();

    /// <summary>Ends with the next beat. Take it before looking at what a beat tells of: so none is missed.</summary>
    public Task Next => Volatile.Read(ref next).Task;

    public void Beat() => Interlocked.Exchange(ref next, New()).SetResult();

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
