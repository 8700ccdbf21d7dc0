using System.Buffers.Binary;

namespace DistillSharp.Formats.Pickle;

/// <summary>Names of numpy in pickles of arrays: as numpy 1 (<c>numpy.core</c>) and numpy 2 (<c>numpy._core</c>) write them.</summary>
internal static class NumpyGlobals
{
    static readonly string[] multiarray = ["numpy.core.multiarray", "numpy._core.multiarray"];
    static readonly string[] numeric = ["numpy.core.numeric", "numpy._core.numeric"];

    /// <summary>numpy's names alone; a pickle usually needs <see cref="PythonGlobals"/> beside them.</summary>
    public static PickleGlobals List { get; } = new()
    {
        { multiarray, "_reconstruct", Array },
        { multiarray, "scalar", Scalar },
        { numeric, "_frombuffer", FromBuffer },
        { "numpy", "dtype", ElementType },
    };

    /// <summary>What pickles of plain data and numpy arrays name, CIFAR's batches for one.</summary>
    public static PickleGlobals WithPython { get; } = PickleGlobals.Union([PythonGlobals.List, List]);

    static PickledArray Array(PickleArguments arguments)
    {
        arguments.Charge(PickledArray.Size);
        return new PickledArray();
    }

    static PickledElementType ElementType(PickleArguments arguments)
    {
        arguments.Charge(PickledElementType.Size);
        return new PickledElementType(arguments.Text(0));
    }

    /// <summary>_frombuffer(buffer, element type, shape, order): how protocol 5 carries an array.</summary>
    static PickledArray FromBuffer(PickleArguments arguments)
    {
        var array = Array(arguments);
        var type = arguments.Of<PickledElementType>(1, "a numpy element type");
        array.Set(arguments, arguments.Integers(2), type, arguments.Text(3) == "F", arguments[0]);
        return array;
    }

    /// <summary>scalar(element type, bytes): a number where its type is a common one, otherwise the bytes.</summary>
    static object? Scalar(PickleArguments arguments)
    {
        var type = arguments.Of<PickledElementType>(0, "a numpy element type");
        if (arguments[1] is not PickledBytes bytes) return arguments[1];
        var data = bytes.Memory.Span;
        arguments.Charge(PickleValues.BoxSize);
        return (type.BigEndian, type.Code, data.Length) switch
        {
            (_, "u1", 1) => PickleValues.SmallBox(data[0]),
            (_, "b1", 1) => PickleValues.Box(data[0] != 0),
            (_, "i1", 1) => (long)(sbyte)data[0],
            (false, "i2", 2) => (long)BinaryPrimitives.ReadInt16LittleEndian(data),
            (false, "i4", 4) => (long)BinaryPrimitives.ReadInt32LittleEndian(data),
            (false, "i8", 8) => BinaryPrimitives.ReadInt64LittleEndian(data),
            (false, "f4", 4) => (double)BinaryPrimitives.ReadSingleLittleEndian(data),
            (false, "f8", 8) => BinaryPrimitives.ReadDoubleLittleEndian(data),
            _ => bytes,
        };
    }
}
