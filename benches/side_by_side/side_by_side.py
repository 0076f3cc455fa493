"""Trains the same nets with snapc and with PyTorch, side by side, and prints how their steps compare.

    python3 benches/side_by_side/side_by_side.py [--batch 32 128] [--steps 20] [--threads 2] [--compile]

Needs PyTorch (pip install torch numpy) and the release builds of `snapc` and of this bench, which it makes first. The
PyTorch modules are those of `snapc emit torch`, so both sides run the same net. The sides take turns, a few steps each,
so that other work on the machine strikes both; the fastest step of each counts.
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "benches" / "side_by_side"
NETS = {
    "digits": ROOT / "examples" / "digits.snap",
    "ResNet-20": HERE / "resnet20.snap",
    "MobileNetV2": HERE / "mobilenet_v2.snap",
    "i3PosNet": HERE / "i3posnet.snap",
    "DARTS": HERE / "darts.snap",
}
TURNS = 3


def build():
    """The paths of the bench and of `snapc`."""
    def executable(command, name):
        lines = subprocess.run(command + ["--message-format", "json"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        for line in lines.splitlines():
            message = json.loads(line)
            if message.get("executable") and message["target"]["name"] == name:
                return message["executable"]
        sys.exit(f"cargo built no {name}")

    bench = executable(["cargo", "bench", "--no-run", "--bench", "side_by_side"], "side_by_side")
    return bench, executable(["cargo", "build", "--release"], "snapc")


def of_snapc(bench, file, arguments):
    environment = {**os.environ, "RAYON_NUM_THREADS": str(arguments.threads)}
    command = [bench, str(file), str(arguments.size), str(arguments.steps)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)


def of_torch(module, ours, arguments, compiled):
    command = [sys.executable, __file__, "--torch", module, "--size", str(arguments.size), "--steps", str(arguments.steps)]
    command += ["--input", *map(str, ours["input"]), "--classes", *map(str, ours["classes"])]
    command += ["--threads", str(arguments.threads)] + (["--compile"] if compiled else [])
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])


def train_with_torch(arguments):
    """The other side, in a process of its own so that its memory can be measured."""
    import time

    import torch

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    specification = importlib.util.spec_from_file_location("net", arguments.torch)
    net = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(net)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = net.load(arguments.torch.removesuffix(".py") + ".safetensors").train()
    forward = torch.compile(model) if arguments.compile else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    inputs = torch.rand(arguments.size, *arguments.input) * 2 - 1
    labels = torch.arange(arguments.size) % arguments.classes[0]
    seconds = []
    for _ in range(arguments.steps):
        started = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(forward(inputs), labels).backward()
        optimizer.step()
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"steps": seconds, "peak": peak * 1024, "peak_of_step": (peak - before) * 1024}))


def compare(arguments):
    bench, snapc = build()
    print(f"{'net':12} {'batch':>5} {'snapc':>10} {'PyTorch':>10} {'ratio':>6} {'compiled':>10} {'memory':>9} {'PyTorch':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for name, file in NETS.items():
            module = os.path.join(folder, file.stem + ".py")
            subprocess.run([snapc, "emit", "torch", str(file), "--output", module], check=True, stdout=subprocess.PIPE)
            for size in arguments.batch:
                arguments.size = size
                runs = []
                for _ in range(TURNS):
                    own = of_snapc(bench, file, arguments)
                    runs.append((own, of_torch(module, own, arguments, False)))
                ours = min(min(run[0]["steps"]) for run in runs)
                theirs = min(min(run[1]["steps"]) for run in runs)
                compiled = "-"
                if arguments.compile:
                    compiled = f"{1e3 * min(of_torch(module, runs[0][0], arguments, True)['steps']):.1f} ms"
                memory = max(run[0]["peak"] for run in runs) - runs[0][0]["before"]
                of_theirs = max(run[1]["peak_of_step"] for run in runs)
                print(
                    f"{name:12} {size:5} {1e3 * ours:7.1f} ms {1e3 * theirs:7.1f} ms {theirs / ours:6.2f} {compiled:>10} "
                    f"{memory >> 20:5} MiB {of_theirs >> 20:5} MiB",
                    flush=True,
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="also torch.compile")
    parser.add_argument("--torch", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--input", type=int, nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--classes", type=int, nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    train_with_torch(arguments) if arguments.torch else compare(arguments)


if __name__ == "__main__":
    main()
