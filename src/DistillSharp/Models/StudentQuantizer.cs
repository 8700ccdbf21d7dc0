namespace DistillSharp.Models;

/// <summary>Lets a student compute as its export in whole numbers will, with gradients that take a rounding for what it rounds.</summary>
abstract class StudentQuantizer(Classifier student) : IDisposable
{
    /// <summary>Whether the student computes so at present.</summary>
    public bool IsActive
    {
        get => student.Replacement is not null;
        set => student.Replacement = value ? Compute : null;
    }

    /// <summary>Whether ranges follow the activations: in a step of training, not where the student is measured.</summary>
    protected bool Learns { get; private set; }

    /// <summary>The student's answer in a step of training, in float32 whatever the precision around it.</summary>
    public ClassifierOutput Learn(Tensor images, Features features, Device device)
    {
        using var exact = Precision.Fp32.Enter(device);
        Learns = true;
        try { return student.Forward(images, features); }
        finally { Learns = false; }
    }

    /// <summary>Computes one of the student's operator calls.</summary>
    protected abstract Tensor Compute(int index, Operator op, ReadOnlySpan<Argument> arguments);

    public void Dispose() => IsActive = false;
}
