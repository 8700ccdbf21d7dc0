// Runs exported models in ONNX Runtime. Standard input: a JSON list of { model, input, type, shape, output }, where input is
// a file of raw elements. Writes each model's output to its file as raw float32, and to standard output, for each model,
// a line of JSON that says what it takes and gives.
// onnxruntime-node lies in artifacts/node (eng/setup.sh --tests installs it) or where ONNXRUNTIME_NODE points.
const fs = require("fs");
const path = require("path");

const folder = process.env.ONNXRUNTIME_NODE || path.join(__dirname, "..", "..", "artifacts", "node");
const ort = require(path.join(folder, "node_modules", "onnxruntime-node"));

async function run({ model, input, type, shape, output }) {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  const bytes = fs.readFileSync(input);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const elements = type === "uint8" ? new Uint8Array(buffer) : new Float32Array(buffer);
  const results = await session.run({ [session.inputNames[0]]: new ort.Tensor(type, elements, shape) });
  const result = results[session.outputNames[0]];
  fs.writeFileSync(output, Buffer.from(result.data.buffer, result.data.byteOffset, result.data.byteLength));
  console.log(JSON.stringify({ inputs: session.inputNames, outputs: session.outputNames, shape: result.dims }));
  await session.release();
}

(async () => {
  for (const one of JSON.parse(fs.readFileSync(0, "utf8"))) await run(one);
})().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
