// What a student sees in an image: dotnet run -- student.onnx photo.jpg
// The file was made by: distill export RUN --onnx student.onnx --with-preprocessing [--int8]
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using SkiaSharp;

using var session = new InferenceSession(args[0]);
var classes = JsonSerializer.Deserialize<string[]>(session.ModelMetadata.CustomMetadataMap["classes"])!;

using var codec = SKCodec.Create(args[1]) ?? throw new InvalidDataException($"{args[1]} is no image");
using var bitmap = SKBitmap.Decode(codec, new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
byte[] rgb = [.. bitmap.Bytes.Where((_, place) => place % 4 != 3)];

using var images = OrtValue.CreateTensorValueFromMemory(rgb, [1, bitmap.Height, bitmap.Width, 3]);
using var results = session.Run(new RunOptions(), ["images"], [images], ["logits"]);
var powers = Array.ConvertAll(results[0].GetTensorDataAsSpan<float>().ToArray(), logit => Math.Exp(logit));
foreach (var (power, name) in powers.Zip(classes).OrderByDescending(one => one.First).Take(5))
    Console.WriteLine($"{name} {power / powers.Sum():0.0000}");
