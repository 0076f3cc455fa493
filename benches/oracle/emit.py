"""Compares what `snapc emit` writes with snapc itself: PyTorch modules and ONNX models of nets.

    pip install torch numpy onnx onnxruntime safetensors
    cargo build --release --bin snapc --example gradients
    python benches/oracle/emit.py [FILE ...]

For each net of the files (those of examples/zoo and tests/emit/layers.snap if none are given) there is a
line: the largest difference of outputs and of gradients from PyTorch, in evaluation and in training, of
running statistics after a step of training, and of outputs from ONNX Runtime. Differences are relative
to the largest number of the tensor, or to 1 where it is smaller. All but ONNX Runtime compute in double
precision: in single precision some of millions of rectifiers see a value on the other side of zero, and
gradients jump there. Every parameter gets random values, so
that no norm or table is at a special place. The exit code is 1 if a difference is above 1e-4.

Nets of more than BIG multiply-adds run on a batch of 2, others on 4. With `--fixtures`, what PyTorch and ONNX Runtime
compute for the nets of tests/emit/layers.snap goes to tests/fixtures/emit, for tests/emit/pytorch.rs and
tests/emit/onnx_runtime.rs.
"""

import argparse
import importlib.util
import json
import math
import re
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path


import onnx
import onnxruntime
import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ROOT / "tests/emit/layers.snap"
FIXTURES = ROOT / "tests/fixtures/emit"
TOLERANCE = 1e-4
BIG = 2e8
torch.manual_seed(1)
torch.set_num_threads(1)


def binary(name):
    """A program that cargo built."""
    built = [ROOT / "target" / profile / name for profile in ["release", "debug"]]
    return next(path for path in built if path.exists())


def snapc(*arguments):
    return subprocess.run([binary("snapc"), *arguments], check=True, capture_output=True, text=True).stdout


def randomised(tensors):
    """Tensors in the place of first values, of their size, but nowhere all zero or one."""
    for name, tensor in tensors.items():
        noise = torch.randn_like(tensor)
        if name.endswith("running_var"):
            tensors[name] = 1 + 0.5 * noise.abs()
        elif tensor.dim() > 1:
            tensors[name] = tensor + 0.01 * noise
        else:
            tensors[name] = tensor + 0.1 * noise
    return tensors


def example(net, batch):
    """Random inputs: numbers of rows where a table is read, masks where attention has one."""
    inputs = []
    for shape, meaning in net["inputs"]:
        if meaning == "rows":
            inputs.append(torch.randint(0, net["rows"], (batch, *shape)).float())
        elif meaning == "mask":
            inputs.append(torch.randint(0, 2, (batch, *shape)).float())
        else:
            inputs.append(torch.randn(batch, *shape))
    return inputs


def described(shown, text):
    """Shapes of the inputs and what is done with them, by the emitted text."""
    signature, body = text[text.rindex("    def forward(self, ") :].split("\n", 1)
    names = signature.removeprefix("    def forward(self, ").removesuffix("):").split(", ")
    inputs = []
    for name, shape in zip(names, shown["inputs"]):
        meaning = "numbers"
        if len(shape) == 1 and f"({name}.round().long())" in body:
            meaning = "rows"
        elif len(shape) == 1 and re.search(rf"masked_attention\[0\]\(\w+, {name}\)", body):
            meaning = "mask"
        inputs.append((shape, meaning))
    rows = re.search(r"nn\.Embedding\((\d+)", text)
    return {"inputs": inputs, "rows": int(rows.group(1)) if rows else 0}


def module_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def difference(found, expected):
    found, expected = torch.as_tensor(found).double().reshape(-1), expected.double().reshape(-1)
    assert found.shape == expected.shape, (found.shape, expected.shape)
    if not torch.isfinite(found).all():
        return math.inf
    scale = max(1.0, expected.abs().max().item())
    return (found - expected).abs().max().item() / scale


def pytorch(net, weights, inputs, losses):
    """What PyTorch computes: outputs, gradients and state, by the names that snapc has for them."""
    renamed = {new: old for old, new in getattr(net, "RENAMED", {}).items()}
    found = {}
    for mode in ["evaluate", "train"]:
        model = net.load(weights).double().train(mode == "train")
        given = [tensor.double().requires_grad_() for tensor in inputs]
        outputs = several(model(*given))
        sum((output * loss).sum() for output, loss in zip(outputs, losses)).backward()
        for number, output in enumerate(outputs):
            found[f"{mode}.output.{number}"] = output.detach()
        gradients = {f"input.{number}": tensor.grad for number, tensor in enumerate(given)}
        gradients |= {renamed.get(name, name): it.grad for name, it in model.named_parameters()}
        for name, gradient in gradients.items():
            if gradient is not None:
                found[f"{mode}.gradient.{name}"] = gradient
    for name, buffer in model.named_buffers():
        if ".running_" in name:
            found[f"train.state.{renamed.get(name, name)}"] = buffer
    return found


def several(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


def differences(found, own):
    """The largest differences by what they are of. What has no gradient has one of zero elsewhere."""
    worst = {}
    for name in found.keys() | own.keys():
        one, other = found.get(name), own.get(name)
        what = " ".join(name.split(".")[:2])
        if one is None or other is None:
            one, other = (one if other is None else other), torch.tensor(0.0)
            one = one.abs().max()
        worst[what] = max(worst.get(what, 0.0), difference(one, other))
    return worst


def runtime(path, inputs):
    """The outputs of ONNX Runtime."""
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [it.name for it in session.get_inputs()]
    outputs = session.run(None, {name: tensor.numpy() for name, tensor in zip(names, inputs)})
    return [torch.from_numpy(output) for output in outputs]


def checksum(path):
    """The CRC-32 of the graph in a model, as it is written: fields are read up to the seventh, which it is."""
    model = path.read_bytes()

    def number(place):
        value, shift = 0, 0
        while True:
            byte = model[place]
            value |= (byte & 0x7F) << shift
            place, shift = place + 1, shift + 7
            if byte < 0x80:
                return value, place

    place = 0
    while True:
        key, place = number(place)
        length, place = number(place)
        if key >> 3 == 7:
            return zlib.crc32(model[place : place + length])
        # A field is a number, or as many bytes as its length says.
        place += length if key & 7 == 2 else 0


def compare(file, shown, folder, fixtures):
    """All differences of one net. What the others compute goes to a fixture, if these are made."""
    name = shown["name"]
    written = Path(folder, f"{name}.py")
    weights = written.with_suffix(".safetensors")
    snapc("emit", "torch", f"{file}:{name}", "--output", str(written))
    text = written.read_text()
    # Chance is nobody else's: nothing is dropped.
    text = re.sub(r"(F\.dropout|drop_path)\((\w+), [0-9.e-]+, ", r"\1(\2, 0.0, ", text)
    written.write_text(text)
    save_file(randomised(load_file(weights)), weights)
    module = module_of(written)
    batch = 4 if shown["multiply_adds"] < BIG else 2
    inputs = example(described(shown, text), batch)
    with torch.no_grad():
        outputs = several(module.load(weights)(*inputs))
    losses = [torch.randn(output.shape) for output in outputs]
    given = {f"input.{number}": tensor for number, tensor in enumerate(inputs)}
    given |= {f"loss.{number}": tensor for number, tensor in enumerate(losses)}
    asked, answer = Path(folder, "asked.safetensors"), Path(folder, "answer.safetensors")
    save_file(given, asked)
    subprocess.run([binary("examples/gradients"), file, name, weights, asked, answer], check=True)
    own = load_file(answer)
    found = pytorch(module, weights, inputs, losses)
    model = Path(folder, f"{name}.onnx")
    snapc("emit", "onnx", f"{file}:{name}", "--output", str(model), "--weights", str(weights))
    outputs = runtime(model, inputs)
    if fixtures:
        tensors = given | found | {f"weights.{name}": it for name, it in load_file(weights).items()}
        tensors |= {f"onnx.output.{number}": output for number, output in enumerate(outputs)}
        tensors = {name: tensor.float().contiguous() for name, tensor in tensors.items()}
        tensors["onnx.checksum"] = torch.tensor(checksum(model))
        save_file(tensors, FIXTURES / f"{name}.safetensors")
    expected = [own[f"evaluate.output.{number}"] for number in range(len(outputs))]
    return differences(found, own) | {"onnx": max(map(difference, outputs, expected))}


COLUMNS = ["evaluate output", "evaluate gradient", "train output", "train gradient", "train state", "onnx"]


def nets(files):
    """The nets of files, from the cheapest on."""
    every = [(file, shown) for file in files for shown in json.loads(snapc("show", file, "--format", "json"))]
    every = [(file, shown) for file, shown in every if shown["kind"] == "net"]
    return sorted(every, key=lambda net: net[1]["multiply_adds"])


def main():
    parser = argparse.ArgumentParser(description="Compares emitted nets with snapc.")
    parser.add_argument("files", nargs="*", help="the zoo and the nets with every layer if not given")
    parser.add_argument("--fixtures", action="store_true", help="keep what PyTorch and ONNX Runtime compute")
    parser.add_argument("--least", type=float, default=0, help="multiply-adds of a net")
    parser.add_argument("--most", type=float, default=math.inf, help="multiply-adds of a net")
    options = parser.parse_args()
    zoo = [] if options.fixtures else (ROOT / "examples/zoo").glob("*.snap")
    print("| net | " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---|" * len(COLUMNS))
    is_close = True
    for file, shown in nets(options.files or [LAYERS, *zoo]):
        if not options.least <= shown["multiply_adds"] <= options.most:
            continue
        with tempfile.TemporaryDirectory() as folder:
            worst = compare(file, shown, folder, options.fixtures)
        cells = [f"{worst[it]:.0e}" if it in worst else "" for it in COLUMNS]
        print(f"| `{shown['name']}` | " + " | ".join(cells) + " |", flush=True)
        is_close &= all(value <= TOLERANCE for value in worst.values())
    return 0 if is_close else 1


if __name__ == "__main__":
    sys.exit(main())
