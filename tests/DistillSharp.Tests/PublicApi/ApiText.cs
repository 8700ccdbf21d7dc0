using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace DistillSharp.Tests.PublicApi;

/// <summary>
/// Everything that other assemblies can use of an assembly, one line each, in C#'s words: what a change of it breaks is seen here.
/// </summary>
sealed class ApiText
{
    const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    readonly NullabilityInfoContext nullability = new();

    public static string Of(Assembly assembly)
    {
        var text = new ApiText();
        var types = assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal);
        return string.Concat(types.Select(type => string.Concat(
            text.Header(type) + "\n",
            string.Concat(text.Members(type).Order(StringComparer.Ordinal).Select(line => $"    {line}\n")),
            "\n")));
    }

    string Header(Type type)
    {
        var name = $"{type.Namespace}.{TypeName.Plain(type)}";
        if (type.IsEnum) return $"enum {name} : {TypeName.Of(Enum.GetUnderlyingType(type))}";
        if (type.IsSubclassOf(typeof(Delegate)))
        {
            var invoke = type.GetMethod("Invoke")!;
            return $"delegate {Returned(invoke)} {name}({Parameters(invoke)})";
        }
        var kind = type.IsInterface ? "interface"
            : type.IsValueType
                ? (HasAttribute<IsReadOnlyAttribute>(type) ? "readonly " : "") + (type.IsByRefLike ? "ref " : "")
                + (IsRecord(type) ? "record " : "") + "struct"
            : (type.IsAbstract ? type.IsSealed ? "static " : "abstract " : type.IsSealed ? "sealed " : "")
                + (IsRecord(type) ? "record" : "class");
        var inherited = type.BaseType?.GetInterfaces() ?? [];
        var bases =
            type.GetInterfaces()
                .Where(face => face.IsVisible && !inherited.Contains(face) && face != typeof(IEquatable<>).MakeGenericType(type))
            .Select(face => TypeName.Of(face)).Order(StringComparer.Ordinal).ToList();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType)) bases.Insert(0, TypeName.Of(parent));
        return $"{kind} {name}{(bases.Count > 0 ? $" : {string.Join(", ", bases)}" : "")}";
    }

    static bool IsRecord(Type type) => type.GetMethod("PrintMembers", Declared) is not null;

    IEnumerable<string> Members(Type type)
    {
        if (type.IsSubclassOf(typeof(Delegate))) yield break;
        if (type.IsEnum)
        {
            foreach (var name in Enum.GetNames(type))
                yield return $"{name} = {Convert.ToInt64(Enum.Parse(type, name), CultureInfo.InvariantCulture)}";
            yield break;
        }
        foreach (var field in type.GetFields(Declared).Where(field => Visible(field.Attributes & FieldAttributes.FieldAccessMask, type)))
            yield return Access(field.IsFamily || field.IsFamilyOrAssembly)
                + (field.IsLiteral ? "const " : field.IsStatic ? "static " : "")
                + $"{(field.IsInitOnly ? "readonly " : "")}"
                + $"{TypeName.Of(field.FieldType, nullability.Create(field))} "
                + $"{field.Name}{(field.IsLiteral ? $" = {Value(field.GetRawConstantValue())}" : "")}";
        foreach (var property in type.GetProperties(Declared))
            if (Property(property) is { } line) yield return line;
        foreach (var constructor in type.GetConstructors(Declared).Where(Visible).Where(made => !made.IsStatic && !IsCopy(made, type)))
            yield return $"{Access(constructor)}{TypeName.Plain(type).Split('<')[0].Split('.')[^1]}({Parameters(constructor)})";
        foreach (
            var method in type.GetMethods(Declared).Where(Visible)
                .Where(method => !HasAttribute<CompilerGeneratedAttribute>(method) && !IsAccessor(method)))
            yield return $"{Access(method)}{Modifiers(method)}{Returned(method)} "
                + $"{method.Name}{TypeName.Arguments(method.GetGenericArguments())}({Parameters(method)})";
    }

    // A record's own, or a property's: named with the property.
    static bool IsCopy(ConstructorInfo made, Type type) =>
        IsRecord(type) && made.GetParameters() is [var only] && only.ParameterType == type;

    static bool IsAccessor(MethodInfo method) =>
        method.IsSpecialName
        && (method.Name.StartsWith("get_", StringComparison.Ordinal) || method.Name.StartsWith("set_", StringComparison.Ordinal));

    string? Property(PropertyInfo property)
    {
        var (get, set) = (Visible(property.GetMethod) ? property.GetMethod : null, Visible(property.SetMethod) ? property.SetMethod : null);
        if ((get ?? set) is not { } accessor || property.Name == "EqualityContract") return null;
        var init = set?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true ? "init" : "set";
        var accessors = (get is null ? "" : "get; ")
            + (set is null ? "" : $"{(IsProtected(set) && !IsProtected(accessor) ? "protected " : "")}{init}; ");
        var index = property.GetIndexParameters() is { Length: > 0 } parameters ? $"[{string.Join(", ", parameters.Select(Parameter))}]"
            : "";
        var required = HasAttribute<RequiredMemberAttribute>(property) ? "required " : "";
        return $"{Access(accessor)}{required}{Modifiers(accessor)}{TypeName.Of(property.PropertyType, nullability.Create(property))} "
            + $"{(index == "" ? property.Name : "this")}{index} {{ {accessors}}}";
    }

    string Returned(MethodInfo method) => TypeName.Of(method.ReturnType, nullability.Create(method.ReturnParameter));

    string Parameters(MethodBase method) =>
        (HasAttribute<ExtensionAttribute>(method) ? "this " : "") + string.Join(", ", method.GetParameters().Select(Parameter));

    string Parameter(ParameterInfo parameter)
    {
        var passed = parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? parameter.IsIn ? "in " : "ref " : "";
        var several = HasAttribute<ParamArrayAttribute>(parameter) || HasAttribute<ParamCollectionAttribute>(parameter) ? "params " : "";
        var isDefault = parameter.ParameterType.IsValueType && parameter.RawDefaultValue is null;
        var left = parameter.HasDefaultValue ? $" = {(isDefault ? "default" : Value(parameter.RawDefaultValue))}" : "";
        return $"{passed}{several}{TypeName.Of(parameter.ParameterType, nullability.Create(parameter))} {parameter.Name}{left}";
    }

    static string Value(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    static string Modifiers(MethodInfo method) =>
        method.IsStatic ? "static "
        : method.DeclaringType!.IsInterface ? ""
        : method.IsAbstract ? "abstract "
        : method.GetBaseDefinition() != method ? method.IsFinal ? "sealed override " : "override "
        : method.IsVirtual && !method.IsFinal ? "virtual " : "";

    static string Access(MethodBase method) => Access(IsProtected(method));

    static string Access(bool isProtected) => isProtected ? "protected " : "";

    static bool IsProtected(MethodBase method) => method.IsFamily || method.IsFamilyOrAssembly;

    // Nobody can inherit what is sealed, so its protected members are nobody's.
    static bool Visible(MethodBase? method) =>
        method is not null && (method.IsPublic || (IsProtected(method) && !method.DeclaringType!.IsSealed));

    static bool Visible(FieldAttributes access, Type type) =>
        access == FieldAttributes.Public || (access is FieldAttributes.Family or FieldAttributes.FamORAssem && !type.IsSealed);

    static bool HasAttribute<T>(MemberInfo member) where T : Attribute => member.IsDefined(typeof(T), inherit: false);

    static bool HasAttribute<T>(ParameterInfo parameter) where T : Attribute => parameter.IsDefined(typeof(T), inherit: false);
}
