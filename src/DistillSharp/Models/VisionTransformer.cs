namespace DistillSharp.Models;

/// <summary>
/// ViT (Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, table 1) with torchvision's state names. The stages are the
/// patches' features as images, [N, C, 14, 14] for 224 pixels: as they are embedded, then after each quarter of the layers, without
/// the class token, whose normalized features are the pooled ones.
/// </summary>
sealed class VisionTransformer : Classifier
{
    const double Epsilon = 1e-6;
    const int Quarters = 4;

    readonly long width;
    readonly Tensor token, position;
    readonly Conv2d patches;
    readonly TransformerLayer[] layers;
    readonly LayerNorm norm;
    readonly Linear classifier;

    internal VisionTransformer(string name, int classes, long side, long patch, int depth, long heads, long width)
        : base(name, classes, new InputRule(side, OnlyNatural: true))
    {
        this.width = width;
        token = Parameter("class_token", Tensor.Zeros([1, 1, width]));
        patches = Child("conv_proj", new Conv2d(3, width, patch, stride: patch, bias: true));
        var encoder = Child("encoder", new Encoder(side / patch * (side / patch) + 1, depth, heads, width));
        (position, layers, norm) = (encoder.Position, encoder.Layers, encoder.Norm);
        classifier = Child("heads.head", new Linear(width, classes));
        Initialize.Normal(patches.Weight, Math.Sqrt(1.0 / (3 * patch * patch)));
        using var off = Autograd.NoGrad();
        patches.Bias!.Fill(0);
        classifier.Weight.Fill(0);
        classifier.Bias!.Fill(0);
    }

    public override Linear Head => classifier;

    internal override IReadOnlyList<OtherNames> OtherNames =>
    [
        new("timm",
        [
            ("class_token", "cls_token"), ("encoder.pos_embedding", "pos_embed"), ("conv_proj", "patch_embed.proj"),
            ("encoder.ln", "norm"), ("heads.head", "head"),
            .. layers.SelectMany((_, i) => TransformerLayer.TimmNames.Select(name => (LayerName(i, name.Own), $"blocks.{i}.{name.Other}"))),
        ]),
        new("an older torchvision", layers.SelectMany((_, i) => new[]
        {
            (LayerName(i, "mlp.0"), LayerName(i, "mlp.linear_1")), (LayerName(i, "mlp.3"), LayerName(i, "mlp.linear_2")),
        })),
    ];

    static string LayerName(int layer, string part) => $"encoder.layers.encoder_layer_{layer}.{part}";

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var embedded = patches.Forward(images);
        tap.Stage(embedded);
        var (height, width) = (embedded.Size(2), embedded.Size(3));
        var x = Tensor.Cat([token.Expand(images.Size(0), 1, this.width), embedded.Flatten(2).Transpose(1, 2)], 1) + position;
        tap.Release(embedded);
        for (var i = 0; i < layers.Length; i++)
        {
            x = tap.Step(x, layers[i].Forward(x));
            if ((i + 1) % (layers.Length / Quarters) == 0) tap.Stage(AsImage(x, height, width));
        }
        return classifier.Forward(tap.Pooled(norm.Forward(x).Select(1, 0)));
    }

    // [N, 1 + H W, C] to [N, C, H, W], in channels-last order.
    Tensor AsImage(Tensor x, long height, long width)
    {
        using var scope = TensorScope.Open();
        return scope.Keep(x.Narrow(1, 1, height * width).Reshape(-1, height, width, this.width).Permute(0, 3, 1, 2));
    }

    sealed class Encoder : Module
    {
        public Encoder(long tokens, int depth, long heads, long width)
        {
            Position = Parameter("pos_embedding", Initialize.Normal(Tensor.Empty([1, tokens, width]), .02));
            Layers = new TransformerLayer[depth];
            for (var i = 0; i < depth; i++) Layers[i] = Child($"layers.encoder_layer_{i}", new TransformerLayer(width, heads, Epsilon));
            Norm = Child("ln", new LayerNorm(width, Epsilon));
        }

        public Tensor Position { get; }

        public TransformerLayer[] Layers { get; }

        public LayerNorm Norm { get; }
    }
}

/// <summary>y = x + attention(norm(x)); y + fc(gelu(fc(norm(y)))), equations 2 and 3.</summary>
sealed class TransformerLayer : Layer
{
    /// <summary>The names of its parts here and in timm.</summary>
    public static readonly (string Own, string Other)[] TimmNames =
    [
        ("ln_1", "norm1"), ("self_attention.in_proj_weight", "attn.qkv.weight"), ("self_attention.in_proj_bias", "attn.qkv.bias"),
        ("self_attention.out_proj", "attn.proj"), ("ln_2", "norm2"), ("mlp.0", "mlp.fc1"), ("mlp.3", "mlp.fc2"),
    ];

    readonly LayerNorm norm1, norm2;
    readonly MultiheadAttention attention;
    readonly Linear widen, narrow;

    public TransformerLayer(long width, long heads, double epsilon)
    {
        norm1 = Child("ln_1", new LayerNorm(width, epsilon));
        attention = Child("self_attention", new MultiheadAttention(width, heads));
        norm2 = Child("ln_2", new LayerNorm(width, epsilon));
        widen = Child("mlp.0", new Linear(width, 4 * width));
        narrow = Child("mlp.3", new Linear(4 * width, width));
        foreach (var linear in new[] { widen, narrow })
        {
            Initialize.XavierUniform(linear.Weight);
            Initialize.Normal(linear.Bias!, 1e-6);
        }
    }

    public override Tensor Forward(Tensor x)
    {
        using var scope = TensorScope.Open();
        var y = x + attention.Forward(norm1.Forward(x));
        return scope.Keep(y + narrow.Forward(Functional.Gelu(widen.Forward(norm2.Forward(y)))));
    }
}
