using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;

namespace DistillSharp.Extending;

/// <summary>
/// What recipes, runs and the command know by name. A new one has all that comes with the library; add your own to it and hand
/// it to whoever reads names: <c>Recipe.Parse(text, source, toolkit)</c>, or the command's own start.
/// </summary>
public sealed class Toolkit
{
    /// <summary>What comes with the library. It is shared, and so takes nothing more.</summary>
    public static Toolkit BuiltIn { get; } = new(close: true);

    Toolkit(bool close)
    {
        if (!close) return;
        Methods.Close();
        Networks.Close();
        Datasets.Close();
        Augmentations.Close();
        Teachers.Close();
        Quantizations.Close();
    }

    /// <summary>A toolkit of your own, which has all that comes with the library.</summary>
    public Toolkit() : this(close: false) { }

    /// <summary>The methods; each makes one with its default settings.</summary>
    public Registry<Func<DistillationMethod>> Methods { get; } = DistillationMethods.All();

    /// <summary>The networks; each makes one with fresh weights.</summary>
    public Registry<NetworkFactory> Networks { get; } = Models.Networks.All();

    /// <summary>The data sets.</summary>
    public Registry<DatasetDescription> Datasets { get; } = Data.Datasets.All();

    /// <summary>The steps that training images can be prepared by; each makes one with its default settings.</summary>
    public Registry<Func<AugmentationStep>> Augmentations { get; } = Augmentation.KnownSteps();

    /// <summary>
    /// Kinds of teachers in files of other programs, by the key that names such a file in a recipe; the package DistillSharp.Onnx adds
    /// <c>onnx</c>.
    /// </summary>
    public Registry<TeacherReader> Teachers { get; } = new("kind of teacher");

    /// <summary>
    /// In what a student's last epochs can be trained, by the name in a recipe; each is told how many epochs. The package
    /// DistillSharp.Onnx adds <c>int8</c>.
    /// </summary>
    public Registry<Func<int, QuantizedTraining>> Quantizations { get; } = new("kind of quantization");
}
