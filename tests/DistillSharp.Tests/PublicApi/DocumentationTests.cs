using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace DistillSharp.Tests.PublicApi;

/// <summary>
/// Whatever others can use says what it is. The compiler's own warning would also have overrides and what an interface asks for say it
/// again, of which editors show what the base says.
/// </summary>
public class DocumentationTests
{
    const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static TheoryData<Assembly> Assemblies => PublicApiTests.Assemblies;

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Every_public_type_and_member_has_a_summary(Assembly assembly)
    {
        var documented = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member")
            .Where(member => member.Descendants("summary").Any(summary => summary.Value.Trim().Length > 0))
            .Select(member => member.Attribute("name")!.Value.Split('(')[0]).ToHashSet();
        var missing = assembly.GetExportedTypes().Where(type => !type.IsSubclassOf(typeof(Delegate)))
            .SelectMany(type => Names(type).Prepend($"T:{Named(type)}")).Where(name => !documented.Contains(name)).Distinct().ToArray();
        Assert.NotEmpty(documented);
        Assert.True(missing.Length == 0, $"without a summary: {string.Join(", ", missing)}");
    }

    static IEnumerable<string> Names(Type type)
    {
        var asked = type.IsInterface ? [] : type.GetInterfaces().SelectMany(face => type.GetInterfaceMap(face).TargetMethods).ToHashSet();
        bool IsNew(MethodInfo method) =>
            method is { IsPrivate: false, IsAssembly: false, IsFamilyAndAssembly: false } && method.GetBaseDefinition() == method
            && !asked.Contains(method);
        // A record's parameters are told of where it is declared.
        var told = type.GetConstructors(Declared).SelectMany(constructor => constructor.GetParameters())
            .Select(parameter => parameter.Name).Append("EqualityContract").ToHashSet();
        var fields = type.GetFields(Declared).Where(field => field is { IsSpecialName: false, IsPublic: true } or { IsFamily: true });
        var properties = type.GetProperties(Declared)
            .Where(property => !told.Contains(property.Name) && IsNew((property.GetMethod ?? property.SetMethod)!));
        var methods = type.GetMethods(Declared)
            .Where(method => !method.IsSpecialName && IsNew(method) && !method.IsDefined(typeof(CompilerGeneratedAttribute)));
        return [.. fields.Select(field => $"F:{Named(type)}.{field.Name}"),
            .. properties.Select(property => $"P:{Named(type)}.{property.Name}"),
            .. methods.Select(method => $"M:{Named(type)}.{method.Name}{Arity(method)}")];
    }

    static string Arity(MethodInfo method) => method.IsGenericMethod ? $"``{method.GetGenericArguments().Length}" : "";

    static string Named(Type type) => type.FullName!.Replace('+', '.');
}
