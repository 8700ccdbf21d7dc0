namespace DistillSharp;

/// <summary>Asks for a device before anything is computed there: libtorch's own complaint is a page of its dispatcher's tables.</summary>
static class DeviceDemand
{
    /// <exception cref="UserException">libtorch cannot use such a device here.</exception>
    public static void Demand(this Device device)
    {
        if (device.Type != DeviceType.Cuda || Math.Max(device.Index, 0) < Runtime.CudaDevices) return;
        throw new UserException(Runtime.CudaDevices == 0
            ? $"cannot compute on {device}: libtorch {Runtime.Version} finds no GPU here; take the device "
                + "cpu (`distill doctor` shows what was found)"
            : $"cannot compute on {device}: the GPUs "
                + $"here are {string.Join(", ", Enumerable.Range(0, Runtime.CudaDevices).Select(Device.Cuda))}");
    }
}
