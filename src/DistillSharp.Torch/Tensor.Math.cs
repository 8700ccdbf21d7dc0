namespace DistillSharp.Torch;

// Arithmetic, element by element and of matrices. Each operator is one line: its schema's name beside its call.
public sealed partial class Tensor
{
    static readonly Operator addTensor = new("aten::add.Tensor"), addScalar = new("aten::add.Scalar");
    static readonly Operator subTensor = new("aten::sub.Tensor"), subScalar = new("aten::sub.Scalar"), rsub = new("aten::rsub.Scalar");
    static readonly Operator mulTensor = new("aten::mul.Tensor"), mulScalar = new("aten::mul.Scalar");
    static readonly Operator divTensor = new("aten::div.Tensor"), divScalar = new("aten::div.Scalar");
    static readonly Operator neg = new("aten::neg"), abs = new("aten::abs"), sqrt = new("aten::sqrt");
    static readonly Operator exp = new("aten::exp"), log = new("aten::log");
    static readonly Operator pow = new("aten::pow.Tensor_Scalar"), clamp = new("aten::clamp");
    static readonly Operator reciprocal = new("aten::reciprocal"), maximum = new("aten::maximum");
    static readonly Operator softplus = new("aten::softplus"), sigmoid = new("aten::sigmoid"), erfcx = new("aten::special_erfcx");
    static readonly Operator matmul = new("aten::matmul"), matmulInto = new("aten::mm.out");
    static readonly Operator dot = new("aten::dot"), eigh = new("aten::linalg_eigh");
    static readonly Operator eqTensor = new("aten::eq.Tensor"), eqScalar = new("aten::eq.Scalar");
    static readonly Operator gtScalar = new("aten::gt.Scalar");
    static readonly Operator where = new("aten::where.self"), maskedFill = new("aten::masked_fill.Scalar");

    /// <summary>Elementwise sum, with broadcasting.</summary>
    public static Tensor operator +(Tensor a, Tensor b) => addTensor.Call(a, b);

    /// <summary>Adds a number to each element.</summary>
    public static Tensor operator +(Tensor a, double b) => addScalar.Call(a, b);

    /// <summary>Elementwise difference, with broadcasting.</summary>
    public static Tensor operator -(Tensor a, Tensor b) => subTensor.Call(a, b);

    /// <summary>Subtracts a number from each element.</summary>
    public static Tensor operator -(Tensor a, double b) => subScalar.Call(a, b);

    /// <summary>Subtracts each element from a number.</summary>
    public static Tensor operator -(double a, Tensor b) => rsub.Call(b, a);

    /// <summary>The negative of each element.</summary>
    public static Tensor operator -(Tensor a) => neg.Call(a);

    /// <summary>Elementwise product, with broadcasting.</summary>
    public static Tensor operator *(Tensor a, Tensor b) => mulTensor.Call(a, b);

    /// <summary>Multiplies each element by a number.</summary>
    public static Tensor operator *(Tensor a, double b) => mulScalar.Call(a, b);

    /// <summary>Multiplies each element by a number.</summary>
    public static Tensor operator *(double a, Tensor b) => mulScalar.Call(b, a);

    /// <summary>Elementwise quotient, with broadcasting.</summary>
    public static Tensor operator /(Tensor a, Tensor b) => divTensor.Call(a, b);

    /// <summary>Divides each element by a number.</summary>
    public static Tensor operator /(Tensor a, double b) => divScalar.Call(a, b);

    /// <summary>Absolute values.</summary>
    public Tensor Abs() => abs.Call(this);

    /// <summary>Square roots.</summary>
    public Tensor Sqrt() => sqrt.Call(this);

    /// <summary>Exponentials.</summary>
    public Tensor Exp() => exp.Call(this);

    /// <summary>Natural logarithms.</summary>
    public Tensor Log() => log.Call(this);

    /// <summary>log(1 + exp(x)) of each element.</summary>
    public Tensor Softplus() => softplus.Call(this);

    /// <summary>1 / (1 + exp(-x)) of each element.</summary>
    public Tensor Sigmoid() => sigmoid.Call(this);

    /// <summary>exp(x^2) erfc(x) of each element, which neither underflows nor loses digits for large x.</summary>
    public Tensor Erfcx() => erfcx.Call(this);

    /// <summary>Each element to that power.</summary>
    public Tensor Pow(double exponent) => pow.Call(this, exponent);

    /// <summary>One over each element.</summary>
    public Tensor Reciprocal() => reciprocal.Call(this);

    /// <summary>Limits each element to a range; a bound may be left out.</summary>
    public Tensor Clamp(double? min = null, double? max = null) =>
        clamp.Call(this, min is { } low ? low : Argument.None, max is { } high ? high : Argument.None);

    /// <summary>The larger element of two tensors at each place, with broadcasting.</summary>
    public static Tensor Maximum(Tensor a, Tensor b) => maximum.Call(a, b);

    /// <summary>Matrix product, batched over leading dimensions.</summary>
    public Tensor MatMul(Tensor other) => matmul.Call(this, other);

    /// <summary>The matrix product of [N, K] and [K, M], written into a tensor [N, M]; it is not recorded.</summary>
    public void MatMulInto(Tensor other, Tensor result) => matmulInto.CallInPlace(this, other, result);

    /// <summary>The sum of the products of two vectors' elements.</summary>
    public Tensor Dot(Tensor other) => dot.Call(this, other);

    /// <summary>The eigenvalues [N], rising, and the eigenvectors [N, N], as columns, of a symmetric matrix [N, N].</summary>
    public (Tensor Values, Tensor Vectors) SymmetricEigen() => eigh.Call2(this, "L");

    /// <summary>Elementwise equality (bool).</summary>
    public Tensor EqualTo(Tensor other) => eqTensor.Call(this, other);

    /// <summary>Which elements equal a number (bool).</summary>
    public Tensor EqualTo(double value) => eqScalar.Call(this, value);

    /// <summary>Which elements are greater than a number (bool).</summary>
    public Tensor GreaterThan(double value) => gtScalar.Call(this, value);

    /// <summary>Elements of one tensor where the condition (bool) holds, of the other elsewhere.</summary>
    public static Tensor Where(Tensor condition, Tensor yes, Tensor no) => where.Call(condition, yes, no);

    /// <summary>Replaces the elements where the mask (bool) holds.</summary>
    public Tensor MaskedFill(Tensor mask, double value) => maskedFill.Call(this, mask, value);
}
