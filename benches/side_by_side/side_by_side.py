"""Runs the same nets with snapc and with others, side by side, and prints how they compare.

    python3 benches/side_by_side/side_by_side.py train [--batch 32 128] [--steps 20] [--turns 3] [--threads 2] [--compile] [--jax] [--candle]
        [--checkpoint]
    python3 benches/side_by_side/side_by_side.py infer [--batch 1 64] [--turns 3] [--threads 2]

`train` compares steps of training with PyTorch (pip install torch numpy), by the modules of `snapc emit torch`, and if asked
with what `torch.compile` makes of them, which takes a C++ compiler, with JAX (pip install jax), which runs the same modules by
`with_jax.py`, and with candle-nn, by the modules of `snapc emit rust`. `--checkpoint` adds snapc with activation checkpointing of
blocks: its time, its ratio to snapc without, and its memory.
`infer` compares inference with ONNX Runtime (pip install onnxruntime numpy), by the models of `snapc emit onnx`. The release
builds of `snapc` and of this bench are made first. The sides take turns, so that other work on the machine strikes both;
the fastest step of each counts. A ratio above one says that snapc is faster.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "benches" / "side_by_side"
NETS = {
    "digits": ROOT / "examples" / "digits.snap",
    "ResNet-20": HERE / "resnet20.snap",
    "MobileNetV2": HERE / "mobilenet_v2.snap",
    "i3PosNet": HERE / "i3posnet.snap",
    "DARTS": HERE / "darts.snap",
}
# An inference is short: a turn has as many as fit into this many seconds, at most `MOST_RUNS`.
TURN_SECONDS = 1.0
MOST_RUNS = 2000


def build(arguments):
    """The paths of the bench and of `snapc`."""
    def executable(command, name):
        lines = subprocess.run(command + ["--message-format", "json"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        for line in lines.splitlines():
            message = json.loads(line)
            if message.get("executable") and message["target"]["name"] == name:
                return message["executable"]
        sys.exit(f"cargo built no {name}")

    if arguments.built:
        return arguments.built
    bench = executable(["cargo", "bench", "--no-run", "--bench", "side_by_side"], "side_by_side")
    return bench, executable(["cargo", "build", "--release"], "snapc")


def run(command, arguments, *before):
    environment = {**os.environ, "RAYON_NUM_THREADS": str(arguments.threads)}
    output = subprocess.run([*before, *command], check=True, stdout=subprocess.PIPE, env=environment).stdout
    return json.loads(output.splitlines()[-1])


def of_snapc(bench, mode, file, size, steps, arguments):
    return run([bench, mode, str(file), str(size), str(steps), arguments.device, arguments.precision], arguments)


def of_candle(bench, file, size, arguments):
    """What candle-nn takes, or nothing if it fails: of some strides and sizes its gradient has another shape than the image."""
    try:
        return [of_snapc(bench, "candle", file, size, 2, arguments)]
    except subprocess.CalledProcessError:
        return []


def of_other(mode, file, ours, size, steps, arguments, *options):
    """The other side, in a process of its own so that its memory can be measured."""
    # JAX has no option for the number of its threads: it takes as many as the process may run on.
    before = ["taskset", "-c", f"0-{arguments.threads - 1}"] if "--jax" in options else []
    command = [sys.executable, __file__, mode, "--side", file, "--batch", str(size), "--steps", str(steps)]
    command += ["--input", *map(str, ours["input"]), "--classes", *map(str, ours["classes"])]
    command += ["--device", arguments.device, "--precision", arguments.precision]
    return run(command + ["--threads", str(arguments.threads), *options], arguments, *before)


def timed(step, count):
    """The seconds of each of so many calls."""
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return seconds


def train_with_torch(arguments):
    import torch

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    specification = importlib.util.spec_from_file_location("net", arguments.side)
    net = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(net)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = net.load(arguments.side.removesuffix(".py") + ".safetensors").to(arguments.device).train()
    forward = torch.compile(model) if arguments.compile else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    [size] = arguments.batch
    inputs = (torch.rand(size, *arguments.input) * 2 - 1).to(arguments.device)
    labels = (torch.arange(size) % arguments.classes[0]).to(arguments.device)
    kind = arguments.device.split(":")[0]
    mixed = torch.autocast(kind, torch.bfloat16, enabled=arguments.precision == "bf16")

    def step():
        optimizer.zero_grad(set_to_none=True)
        with mixed:
            logits = forward(inputs)
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        optimizer.step()
        if kind == "cuda":
            torch.cuda.synchronize()

    if arguments.jax:
        from with_jax import training_step

        step = training_step(model, inputs, labels)
    seconds = timed(step, arguments.steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"steps": seconds, "peak": peak * 1024, "peak_of_step": (peak - before) * 1024}))


def infer_with_onnx_runtime(arguments):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(arguments.side, options, providers=["CPUExecutionProvider"])
    inputs = numpy.random.default_rng(0).uniform(-1, 1, (*arguments.batch, *arguments.input)).astype(numpy.float32)
    feed = {session.get_inputs()[0].name: inputs}
    print(json.dumps({"steps": timed(lambda: session.run(None, feed), arguments.steps)}))


def compare_training(bench, snapc, arguments):
    others = f"{'PyTorch':>10} {'ratio':>6} {'compiled':>10} {'ratio':>6} {'JAX':>10} {'ratio':>6} {'candle':>10} {'ratio':>6}"
    others += f" {'checkpoint':>10} {'ratio':>6}"
    print(f"{'net':12} {'batch':>5} {'snapc':>10} {others} {'memory':>9} {'PyTorch':>9} {'checkpoint':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for name, file in NETS.items():
            module = os.path.join(folder, file.stem + ".py")
            subprocess.run([snapc, "emit", "torch", str(file), "--output", module], check=True, stdout=subprocess.PIPE)
            for size in arguments.batch or [32, 128]:
                steps = arguments.steps
                ours, theirs, compiled, jax, candle, checkpointed = [], [], [], [], [], []
                for turn in range(arguments.turns):
                    ours.append(of_snapc(bench, "train", file, size, steps, arguments))
                    theirs.append(of_other("train", module, ours[0], size, steps, arguments))
                    if arguments.compile:
                        compiled.append(of_other("train", module, ours[0], size, steps, arguments, "--compile"))
                    if arguments.jax:
                        jax.append(of_other("train", module, ours[0], size, steps, arguments, "--jax"))
                    if arguments.checkpoint:
                        checkpointed.append(of_snapc(bench, "checkpointed", file, size, steps, arguments))
                    # A step of candle takes many times as long; two tell enough.
                    if arguments.candle and turn == 0:
                        candle = of_candle(bench, file, size, arguments)
                own = fastest(ours)
                columns = [f"{1e3 * own:7.1f} ms"]
                for other in [theirs, compiled, jax, candle, checkpointed]:
                    if not other:
                        columns.append(f"{'-':>10} {'-':>6}")
                        continue
                    time = fastest(other)
                    columns.append(f"{1e3 * time:7.1f} ms {time / own:6.2f}")
                memory = [grown(ours), max(run["peak_of_step"] for run in theirs)]
                memory += [grown(checkpointed)] if checkpointed else []
                columns += [f"{part >> 20:5} MiB" for part in memory]
                print(f"{name:12} {size:5} {' '.join(columns)}", flush=True)


def grown(runs):
    """By how many bytes a process of snapc has grown at most."""
    return max(run["peak"] - run["before"] for run in runs)


def fastest(runs):
    """The seconds of the fastest step of all runs."""
    return min(second for run in runs for second in run["steps"])


def compare_inference(bench, snapc, arguments):
    print(f"{'net':12} {'batch':>5} {'snapc':>10} {'ONNX Runtime':>12} {'ratio':>6} {'examples a second':>18}")
    with tempfile.TemporaryDirectory() as folder:
        for name, file in NETS.items():
            model = os.path.join(folder, file.stem + ".onnx")
            subprocess.run([snapc, "emit", "onnx", str(file), "--output", model], check=True, stdout=subprocess.PIPE)
            for size in arguments.batch or [1, 64]:
                trial = of_snapc(bench, "infer", file, size, 5, arguments)
                steps = max(5, min(MOST_RUNS, int(TURN_SECONDS / min(trial["steps"]))))
                ours, theirs = [], []
                for _ in range(arguments.turns):
                    ours += of_snapc(bench, "infer", file, size, steps, arguments)["steps"]
                    theirs += of_other("infer", model, trial, size, steps, arguments)["steps"]
                ours, theirs = min(ours), min(theirs)
                print(
                    f"{name:12} {size:5} {1e3 * ours:7.3f} ms {1e3 * theirs:9.3f} ms {theirs / ours:6.2f} {size / ours:18.0f}",
                    flush=True,
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["train", "infer"])
    parser.add_argument("--batch", type=int, nargs="+", help="examples in a batch [train: 32 128, infer: 1 64]")
    parser.add_argument("--steps", type=int, default=20, help="steps of training in a turn")
    parser.add_argument("--turns", type=int, default=3, help="turns that each side takes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--nets", nargs="+", choices=list(NETS), help="only these nets")
    parser.add_argument("--compile", action="store_true", help="also torch.compile")
    parser.add_argument("--jax", action="store_true", help="also JAX")
    parser.add_argument("--checkpoint", action="store_true", help="also snapc with activation checkpointing")
    parser.add_argument("--candle", action="store_true", help="also the module for candle-nn")
    parser.add_argument("--device", default="cpu", help="where to train: cpu or cuda, with `--built` of that feature")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--built", nargs=2, metavar=("BENCH", "SNAPC"), help="programs that were built before")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--input", type=int, nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--classes", type=int, nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for name in set(NETS) - set(arguments.nets or NETS):
        del NETS[name]
    if arguments.side:
        train_with_torch(arguments) if arguments.mode == "train" else infer_with_onnx_runtime(arguments)
    else:
        compare = compare_training if arguments.mode == "train" else compare_inference
        compare(*build(arguments), arguments)


if __name__ == "__main__":
    main()
