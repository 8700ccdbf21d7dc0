using System.Reflection;
using System.Reflection.Emit;

namespace DistillSharp.Tests;

/// <summary>Every type that a type uses: in its declarations and in the code of its methods.</summary>
static class TypeReferences
{
    const BindingFlags Declared =
        BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    public static HashSet<Type> Of(Type type)
    {
        var found = new HashSet<Type>();
        Add(type.BaseType);
        foreach (var implemented in type.GetInterfaces()) Add(implemented);
        foreach (var field in type.GetFields(Declared)) Add(field.FieldType);
        foreach (var constructor in type.GetConstructors(Declared)) AddMethod(constructor);
        foreach (var method in type.GetMethods(Declared)) AddMethod(method);
        return found;

        void Add(Type? used)
        {
            if (used is null) return;
            if (used.HasElementType) Add(used.GetElementType());
            else if (!used.IsGenericParameter) found.Add(used.IsGenericType ? used.GetGenericTypeDefinition() : used);
            foreach (var argument in used.GetGenericArguments()) if (argument != used) Add(argument);
        }

        void AddMethod(MethodBase method)
        {
            if (method is MethodInfo { ReturnType: var returned }) Add(returned);
            foreach (var parameter in method.GetParameters()) Add(parameter.ParameterType);
            if (method.GetMethodBody() is not { } body) return;
            foreach (var local in body.LocalVariables) Add(local.LocalType);
            foreach (var clause in body.ExceptionHandlingClauses)
                if (clause.Flags == ExceptionHandlingClauseOptions.Clause) Add(clause.CatchType);
            foreach (var token in Tokens(body.GetILAsByteArray()!)) AddToken(method, token);
        }

        void AddToken(MethodBase method, int token)
        {
            var typeArguments = method.DeclaringType!.GetGenericArguments();
            var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
            var member = method.Module.ResolveMember(token, typeArguments, methodArguments);
            Add(member as Type ?? member?.DeclaringType);
            if (member is MethodInfo { IsGenericMethod: true } generic)
                foreach (var argument in generic.GetGenericArguments()) Add(argument);
        }
    }

    // Types, methods and fields named in a method's code, as metadata tokens.
    static IEnumerable<int> Tokens(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            var value = code[at] == 0xFE ? unchecked((short)(0xFE00 | code[at + 1])) : code[at];
            var operation = OpCodesByValue[value];
            at += operation.Size;
            switch (operation.OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    yield return BitConverter.ToInt32(code, at);
                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + 4 * BitConverter.ToInt32(code, at);
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    at += 1;
                    break;
                case OperandType.InlineVar:
                    at += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    at += 8;
                    break;
                default:
                    at += 4;
                    break;
            }
        }
    }
}
