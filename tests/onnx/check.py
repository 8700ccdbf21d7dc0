"""Checks models with onnx's own checker, shapes included, and prints what their metadata say: one line of JSON for each."""
import json, sys
import onnx

for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    value = lambda v: [v.name, v.type.tensor_type.elem_type, [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]]
    print(json.dumps({
        "opset": model.opset_import[0].version,
        "producer": f"{model.producer_name} {model.producer_version}",
        "inputs": [value(v) for v in model.graph.input],
        "outputs": [value(v) for v in model.graph.output],
        "operators": sorted({node.op_type for node in model.graph.node}),
        "metadata": {entry.key: entry.value for entry in model.metadata_props},
    }))
