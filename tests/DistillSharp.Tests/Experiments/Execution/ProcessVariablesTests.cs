using DistillSharp.Experiments.Execution;
using DistillSharp.Torch;
using DistillSharp.Torch.Distributed;

namespace DistillSharp.Tests.Experiments.Execution;

public sealed class ProcessVariablesTests
{
    static Rendezvous? Read(string variables)
    {
        var values =
            variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Split('='))
                .ToDictionary(word => word[0], word => word[1]);
        return ProcessVariables.Read(values.GetValueOrDefault);
    }

    [Theory]
    [InlineData("")]
    [InlineData("WORLD_SIZE=1 RANK=0 MASTER_ADDR=a MASTER_PORT=1")]
    [InlineData("RANK=3 WORLD_SIZE=")]
    public void Without_others_a_process_trains_alone(string variables) => Assert.Null(Read(variables));

    [Fact]
    public void The_variables_of_torchrun_say_who_a_process_is()
    {
        const string given = "WORLD_SIZE=4 RANK=3 LOCAL_RANK=1 MASTER_ADDR=node7 MASTER_PORT=29500";
        Assert.Equal(new(3, 4, "node7", 29500) { LocalRank = 1 }, Read(given));
        Assert.Equal(TimeSpan.FromSeconds(12), Read(given + " DISTILL_PROCESS_TIMEOUT=12")!.Timeout);
        // torchrun keeps the store, also over its restarts.
        var kept = Read(given + " TORCHELASTIC_USE_AGENT_STORE=True TORCHELASTIC_RESTART_COUNT=2")!;
        Assert.True(kept.StoreIsKept);
        Assert.Equal("/worker/attempt_2/distillsharp", kept.Prefix);
    }

    [Theory]
    [InlineData("WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=1", "WORLD_SIZE is 2, so processes are to train together, but RANK is not set; " +
        "'distill launch' and torchrun set RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT for each")]
    [InlineData("WORLD_SIZE=2 RANK=2 MASTER_ADDR=a MASTER_PORT=1", "RANK is '2'; it must be a whole number from 0 to 1")]
    [InlineData("WORLD_SIZE=two", "WORLD_SIZE is 'two'; it must be a whole number from 1")]
    [InlineData("WORLD_SIZE=2 RANK=0 MASTER_ADDR=a MASTER_PORT=70000", "MASTER_PORT is '70000'; it must be a whole number from 1 to 65535")]
    public void What_makes_no_sense_is_refused_in_a_sentence(string variables, string message) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => Read(variables)).Message);

    [Fact]
    public void A_process_that_finds_nobody_says_where_it_waited()
    {
        var port = DistillSharp.Torch.Tests.Distributed.Ranks.FreePort();
        var error =
            Assert.Throws<UserException>(
                () => ProcessVariables.Join(new(0, 2, "127.0.0.1", port) { Timeout = TimeSpan.FromSeconds(1) }, Device.Cpu));
        Assert.StartsWith($"process 0 of 2 did not find the others at 127.0.0.1:{port} within 1 s (", error.Message);
        Assert.EndsWith("MASTER_ADDR and MASTER_PORT must name a place on the machine of process 0 that all can reach", error.Message);
    }

    [Fact]
    public void Each_process_has_the_GPU_of_its_place_on_its_machine()
    {
        Rendezvous third = new(5, 8, "a", 1) { LocalRank = 2 };
        Assert.Equal(Device.Cuda(2), ProcessVariables.DeviceOf(new(DeviceType.Cuda), third));
        Assert.Equal(Device.Cuda(1), ProcessVariables.DeviceOf(Device.Cuda(1), third));
        Assert.Equal(Device.Cpu, ProcessVariables.DeviceOf(Device.Cpu, third));
    }
}
