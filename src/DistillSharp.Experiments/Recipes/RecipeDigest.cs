using System.Security.Cryptography;

namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// The identity of a recipe: two runs with the same digest are the same experiment. It is the SHA-256 that
/// <c>git hash-object</c> prints for the text in a repository of git's sha256 object format.
/// </summary>
public static class RecipeDigest
{
    /// <summary>The digest of a recipe's canonical text, 64 hexadecimal digits.</summary>
    /// <param name="recipe">The text; of a <see cref="Recipe"/>, that of <see cref="Recipe.Digest"/>. Line ends count as <c>\n</c>.</param>
    public static string Of(string recipe)
    {
        var content = Encoding.UTF8.GetBytes(recipe.ReplaceLineEndings("\n"));
        return Convert.ToHexStringLower(SHA256.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));
    }
}
