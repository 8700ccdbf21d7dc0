using System.Reflection;

namespace DistillSharp.Tests.PublicApi;

/// <summary>Types as C# writes them.</summary>
static class TypeName
{
    static readonly Dictionary<Type, string> keywords = new()
    {
        [typeof(void)] = "void", [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte", [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int", [typeof(uint)] = "uint", [typeof(long)] = "long", [typeof(ulong)] = "ulong", [typeof(nint)] = "nint",
        [typeof(float)] = "float",
        [typeof(double)] = "double", [typeof(decimal)] = "decimal", [typeof(char)] = "char", [typeof(string)] = "string",
        [typeof(object)] = "object",
    };

    /// <param name="type">The type.</param>
    /// <param name="nullability">Which references in it may be null; null where that is unknown.</param>
    public static string Of(Type type, NullabilityInfo? nullability = null)
    {
        if (type.IsByRef) return Of(type.GetElementType()!, nullability);
        if (type.IsPointer) return Of(type.GetElementType()!) + "*";
        // What may be anything may be null, too, and says nothing by it.
        var anything = type.IsGenericParameter
            && !type.GenericParameterAttributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint);
        var mark = !type.IsValueType && !anything && nullability?.ReadState == NullabilityState.Nullable ? "?" : "";
        if (type.IsArray)
            return $"{Of(type.GetElementType()!, nullability?.ElementType)}[{new string(',', type.GetArrayRank() - 1)}]{mark}";
        if (Nullable.GetUnderlyingType(type) is { } value) return Of(value) + "?";
        if (keywords.TryGetValue(type, out var keyword)) return keyword + mark;
        if (!type.IsGenericType) return Plain(type) + mark;
        var given = type.GetGenericArguments();
        var known = nullability?.GenericTypeArguments;
        var arguments = string.Join(", ", given.Select((argument, i) => Of(argument, known?.Length == given.Length ? known[i] : null)));
        return type.Name.StartsWith("ValueTuple`", StringComparison.Ordinal) ? $"({arguments})"
            : $"{type.Name.Split('`')[0]}<{arguments}>{mark}";
    }

    /// <summary>The name without its namespace, with the types that it stands in and its own parameters.</summary>
    public static string Plain(Type type)
    {
        if (type.IsGenericParameter) return type.Name;
        var name = type.Name.Split('`')[0] + Arguments(type.GetGenericArguments());
        return type.IsNested ? $"{Plain(type.DeclaringType!)}.{name}" : name;
    }

    /// <summary>The parameters of something generic, with angle brackets.</summary>
    public static string Arguments(Type[] parameters) =>
        parameters.Length == 0 ? "" : $"<{string.Join(", ", parameters.Select(parameter => Of(parameter)))}>";
}
