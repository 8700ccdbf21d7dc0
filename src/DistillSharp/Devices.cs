namespace DistillSharp;

/// <summary>Devices as users name them.</summary>
public static class Devices
{
    /// <summary>The device of that name, which is here.</summary>
    /// <param name="text"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="UsageException">The text names no device.</exception>
    /// <exception cref="UserException">There is no such GPU.</exception>
    public static Device Find(string text)
    {
        Device device;
        try
        {
            device = Device.Parse(text);
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message, e);
        }
        Require(device);
        return device;
    }

    /// <summary>Refuses a GPU that is not here.</summary>
    /// <exception cref="UserException">There is no such GPU, or libtorch cannot use it.</exception>
    public static void Require(Device device)
    {
        if (device.Type != DeviceType.Cuda || Math.Max(0, device.Index) < Runtime.CudaDevices) return;
        throw new UserException(Runtime.CudaDevices == 0
            ? $"there is no {device}: libtorch {Runtime.Version} finds no GPU that it can use "
                + "('distill doctor' says more); take the device cpu"
            : $"there is no {device}: the GPUs are cuda:0{(Runtime.CudaDevices > 1 ? $" to cuda:{Runtime.CudaDevices - 1}" : "")}");
    }
}
