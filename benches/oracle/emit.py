"""Compares what `snapc emit` writes with snapc itself: PyTorch modules and ONNX models of nets.

    pip install torch numpy onnx onnxruntime
    cargo build --release --bin snapc --example gradients
    python benches/oracle/emit.py [FILE ...]

For each net of the files (those of examples/zoo and tests/emit/layers.snap if none are given) there is a
line: the largest difference of outputs and of gradients from PyTorch, in evaluation and in training, of
running statistics after a step of training, and of outputs from ONNX Runtime. Differences are relative
to the largest number of the tensor, or to 1 where it is smaller. Every parameter gets random values, so
that no norm or table is at a special place. The exit code is 1 if a difference is above 1e-4.

Nets with more than BIG parameters run on one example in evaluation alone, without gradients.
"""

import importlib.util
import json
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path


import onnx
import onnxruntime
import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-4
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
    names = re.search(r"def forward\(self, (.*)\):\n(.*)", text[text.index("super().__init__()\n") :] and text[text.rindex("    def forward(self") :]).group(1).split(", ")
    body = text[text.rindex("    def forward(self") :]
    inputs = []
    for name, shape in zip(names, shown["inputs"]):
        meaning = "numbers"
        if re.search(rf"\({name}\.round\(\)\.long\(\)\)", body) and len(shape) == 1:
            meaning = "rows"
        elif re.search(rf"attention\[0\]\(\w+, {name}\)", body) and len(shape) == 1:
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
    found, expected = torch.as_tensor(found).reshape(-1), torch.as_tensor(expected).reshape(-1)
    assert found.shape == expected.shape, (found.shape, expected.shape)
    if not torch.isfinite(found).all():
        return math.inf
    scale = max(1.0, expected.abs().max().item())
    return (found - expected).abs().max().item() / scale


def pytorch(net, weights, inputs, losses, own):
    """The largest differences of outputs, gradients and state from PyTorch's."""
    renamed = {new: old for old, new in getattr(net, "RENAMED", {}).items()}
    worst = {}
    for mode in ["evaluate", "train"]:
        model = net.load(weights).train(mode == "train")
        given = [tensor.clone().requires_grad_() for tensor in inputs]
        outputs = model(*given)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        sum((output * loss).sum() for output, loss in zip(outputs, losses)).backward()
        for number, output in enumerate(outputs):
            expect(worst, f"{mode} output", output.detach(), own[f"{mode}.output.{number}"])
        gradients = {f"input.{number}": tensor.grad for number, tensor in enumerate(given)}
        gradients |= {renamed.get(name, name): it.grad for name, it in model.named_parameters()}
        for name, gradient in gradients.items():
            expected = own.get(f"{mode}.gradient.{name}")
            if gradient is None or expected is None:
                nothing = gradient if expected is None else expected
                expect(worst, f"{mode} gradient", 0 if nothing is None else nothing.abs().max(), torch.tensor(0.0))
            else:
                expect(worst, f"{mode} gradient", gradient, expected)
        if mode == "train":
            for name, buffer in model.named_buffers():
                if ".running_" in name:
                    expect(worst, "state", buffer, own[f"train.state.{renamed.get(name, name)}"])
    return worst


def expect(worst, what, found, expected):
    worst[what] = max(worst.get(what, 0.0), difference(found, expected))


def runtime(path, inputs, own):
    """The largest difference of outputs from ONNX Runtime's."""
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [it.name for it in session.get_inputs()]
    outputs = session.run(None, {name: tensor.numpy() for name, tensor in zip(names, inputs)})
    worst = {}
    for number, output in enumerate(outputs):
        expect(worst, "onnx", output, own[f"evaluate.output.{number}"])
    return worst


def compare(file, shown, folder):
    """All differences of one net."""
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
    batch = 4 if shown["multiply_adds"] < 2e8 else 2
    inputs = example(described(shown, text), batch)
    with torch.no_grad():
        outputs = module.load(weights)(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    losses = [torch.randn_like(output) for output in outputs]
    given = {f"input.{number}": tensor for number, tensor in enumerate(inputs)}
    given |= {f"loss.{number}": tensor for number, tensor in enumerate(losses)}
    asked, answer = Path(folder, "asked.safetensors"), Path(folder, "answer.safetensors")
    save_file(given, asked)
    subprocess.run([binary("examples/gradients"), file, name, weights, asked, answer], check=True)
    own = load_file(answer)
    worst = pytorch(module, weights, inputs, losses, own)
    model = Path(folder, f"{name}.onnx")
    snapc("emit", "onnx", f"{file}:{name}", "--output", str(model), "--weights", str(weights))
    worst |= runtime(model, inputs, own)
    return worst


COLUMNS = ["evaluate output", "evaluate gradient", "train output", "train gradient", "state", "onnx"]


def main():
    zoo = sorted((ROOT / "examples/zoo").glob("*.snap"))
    files = [Path(it) for it in sys.argv[1:]] or [ROOT / "tests/emit/layers.snap", *zoo]
    print("| net | " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---|" * len(COLUMNS))
    is_close = True
    for file in files:
        for shown in json.loads(snapc("show", str(file), "--format", "json")):
            if shown["kind"] != "net":
                continue
            with tempfile.TemporaryDirectory() as folder:
                worst = compare(file, shown, folder)
            cells = [f"{worst[it]:.0e}" if it in worst else "" for it in COLUMNS]
            print(f"| `{shown['name']}` | " + " | ".join(cells) + " |", flush=True)
            is_close &= all(value <= TOLERANCE for value in worst.values())
    return 0 if is_close else 1


if __name__ == "__main__":
    sys.exit(main())
