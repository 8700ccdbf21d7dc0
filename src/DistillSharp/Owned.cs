namespace DistillSharp;

/// <summary>Things that are to be disposed of by whoever makes something of them.</summary>
static class Owned
{
    /// <summary>Makes something of a thing, which is disposed of where that fails.</summary>
    public static TMade OrDispose<T, TMade>(this T owned, Func<T, TMade> make) where T : IDisposable
    {
        try
        {
            return make(owned);
        }
        catch
        {
            owned.Dispose();
            throw;
        }
    }
}
