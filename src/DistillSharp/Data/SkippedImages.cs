namespace DistillSharp.Data;

/// <summary>The images of a set that turned out damaged when they were asked for and were left out. For several threads at once.</summary>
sealed class SkippedImages
{
    readonly Lock turn = new();
    readonly HashSet<int> places = [];

    /// <summary>What was noted, in the order in which it was noticed.</summary>
    public IReadOnlyList<ImageProblem> All { get; private set; } = [];

    /// <summary>Notes an image, once.</summary>
    public void Note(int place, DamagedImageException damage)
    {
        lock (turn)
            if (places.Add(place)) All = [.. All, new ImageProblem(damage.File, damage.Why)];
    }

    public bool Holds(int place)
    {
        if (All.Count == 0) return false;
        lock (turn) return places.Contains(place);
    }
}
