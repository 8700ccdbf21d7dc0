namespace DistillSharp;

/// <summary>int64 tensors as 64 bits each, with the arithmetic of <see cref="ulong"/>, on any device.</summary>
static class BitTensor
{
    static readonly Operator and = new("aten::bitwise_and.Scalar"), xor = new("aten::bitwise_xor.Tensor");
    static readonly Operator shift = new("aten::bitwise_right_shift.Tensor_Scalar");
    static readonly Operator add = new("aten::add.Scalar"), multiply = new("aten::mul.Scalar");

    public static Tensor BitAnd(this Tensor a, ulong b) => and.Call(a, (long)b);

    public static Tensor Xor(this Tensor a, Tensor b) => xor.Call(a, b);

    /// <summary>Zeros come in from above, as libtorch's own shift does not let them.</summary>
    public static Tensor ShiftRight(this Tensor a, int bits) => shift.Call(a, (long)bits).BitAnd(ulong.MaxValue >> bits);

    public static Tensor Plus(this Tensor a, ulong b) => add.Call(a, (long)b);

    public static Tensor Times(this Tensor a, ulong b) => multiply.Call(a, (long)b);
}
