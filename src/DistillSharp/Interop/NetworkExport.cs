using DistillSharp.Formats.PyTorch;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.TorchSharp;
using DistillSharp.Interop.Onnx;
using DistillSharp.Models;

namespace DistillSharp.Interop;

/// <summary>A network, and the files to write it to.</summary>
public sealed record NetworkExport
{
    /// <summary>The network.</summary>
    public required NetworkSource Source { get; init; }

    /// <summary>The ONNX file to write; null for none.</summary>
    public string? Onnx { get; init; }

    /// <summary>The safetensors file to write; null for none.</summary>
    public string? SafeTensors { get; init; }

    /// <summary>The PyTorch state dict to write; null for none.</summary>
    public string? PyTorch { get; init; }

    /// <summary>The state file for <c>Module.load</c> of TorchSharp to write; null for none.</summary>
    public string? TorchSharp { get; init; }

    /// <summary>How ONNX is written. What the source knows of classes, images and accuracy is filled in.</summary>
    public OnnxOptions Options { get; init; } = new();

    /// <summary>Writes the files: each whole, or not at all.</summary>
    /// <returns>The paths written.</returns>
    /// <exception cref="UserException">The network cannot be loaded or a file not be written.</exception>
    public IReadOnlyList<string> Write()
    {
        if ((Onnx ?? SafeTensors ?? PyTorch ?? TorchSharp) is null)
            throw new UsageException("nothing to write: give a file for ONNX, safetensors, PyTorch or TorchSharp");
        using var loaded = Source.Load();
        if (Onnx is not null) loaded.Network.ExportOnnx(Onnx, Filled(loaded));
        // A run's own file says more than the weights, and stays what it is.
        if (SafeTensors is not null)
        {
            var metadata = Source.Run is { } run
                ? SafeTensorsFile.Read(Directory.Exists(run) ? Path.Combine(run, StudentFile.FileName) : run).Metadata : null;
            SafeTensorsFile.Write(SafeTensors, loaded.Network.StoredState(), metadata);
        }
        if (PyTorch is not null) PyTorchFile.Write(PyTorch, loaded.Network.StoredState());
        if (TorchSharp is not null) TorchSharpFile.Write(TorchSharp, loaded.Network.StoredState());
        return [.. new[] { Onnx, SafeTensors, PyTorch, TorchSharp }.OfType<string>()];
    }

    /// <summary><see cref="Options"/> with what a loaded network knows of classes, images and accuracy.</summary>
    /// <exception cref="UsageException">Preprocessing is asked for, and the normalization is unknown.</exception>
    public OnnxOptions Filled(LoadedNetwork loaded)
    {
        if (Options.WithPreprocessing && loaded.Normalization is null)
            throw new UsageException("preprocessing in the graph needs the images' normalization: "
                + "give the data set, or the channels' mean and std");
        var metadata = new Dictionary<string, string>(Options.Metadata);
        if (loaded.Dataset is { } dataset) metadata["dataset"] = dataset;
        if (loaded.Acc1 is { } accuracy) metadata["accuracy"] = accuracy.ToString("R", CultureInfo.InvariantCulture);
        return Options with
        {
            ImageSize = Options.ImageSize ?? loaded.Image,
            ShorterSide = Options.ShorterSide ?? loaded.Set?.ShorterSide((int)loaded.Image.Height, (int)loaded.Image.Width),
            ClassNames = Options.ClassNames ?? loaded.ClassNames,
            Normalization = Options.Normalization ?? loaded.Normalization,
            Metadata = metadata,
        };
    }
}
