"""What lightnn's networks are compared with, and the processes in which libraries take turns.

Each library runs in a process of its own, since their threads wait in different ways: lightnn's sleep (see
lightnn/startup.py), and an environment that says so would slow PyTorch down. PyTorch runs the very ops of the lightnn
network, recorded in one run, one after the other (eager); ONNX Runtime the file that `io.to_onnx` writes, with all
optimisations.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

LIBRARIES = ("lightnn", "PyTorch", "ONNX Runtime")


TRAINED = {  # networks whose training step is timed: constructor's name and options
    "small ResNet": ("resnet20", {}),
    "small MobileNet": ("mobilenet_v1", {"num_classes": 10, "width_mult": 0.25}),
}
SGD = {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4}


def torch_network(model, shape: tuple[int, ...], training: bool = False) -> tuple[Callable, list]:
    """(run(x) of PyTorch tensors, its weights), for a lightnn network in eval mode. training: batch norms take the
    statistics of x."""
    import torch

    from lightnn.runtime.floats.recording import Made, Recording

    f, recording = torch.nn.functional, Recording(model, np.zeros(shape, np.float32))
    ops = {
        "conv2d": lambda x, w, b, o: f.conv2d(x, w, b, o["stride"], o["padding"], o["dilation"], o["groups"]),
        "batch_norm": lambda x, w, b, o: f.batch_norm(
            x, o["running_mean"], o["running_var"], w, b, training, 0.1, o["eps"]
        ),
        "linear": lambda x, w, b, o: f.linear(x, w, b),
        "relu": lambda x, o: f.relu(x),
        "relu6": lambda x, o: f.relu6(x),
        "add": lambda x, z, o: x + z,
        "concat": lambda *xs: torch.cat(xs[:-1], xs[-1]["dim"]),
        "getitem": lambda x, o: x[o["index"]],
        "pad": lambda x, o: f.pad(x, list(o["padding"])),
        "flatten": lambda x, o: torch.flatten(x, 1),
        "channel_shuffle": lambda x, o: f.channel_shuffle(x, o["groups"]),
        "max_pool2d": lambda x, o: f.max_pool2d(x, o["kernel_size"], o["stride"], o["padding"], 1, o["ceil_mode"]),
        "adaptive_avg_pool2d": lambda x, o: f.adaptive_avg_pool2d(x, o["output_size"]),
    }

    weights = {id(p.data): torch.from_numpy(p.data.copy()).requires_grad_(training) for p in model.parameters()}

    def tensor(value):
        if not isinstance(value, np.ndarray):
            return value
        return weights[id(value)] if id(value) in weights else torch.from_numpy(value.copy())

    calls = [
        (ops[c.op], [i if isinstance(i, Made) else tensor(i) for i in c.inputs],
         {name: tensor(value) for name, value in c.options.items()})
        for c in recording.calls
    ]  # fmt: skip
    last = {i: k for k, (_, inputs, _) in enumerate(calls) for i in inputs if isinstance(i, Made)}

    def run(x):
        made = {-1: x}
        for k, (op, inputs, options) in enumerate(calls):
            made[k] = op(*(made[i] if isinstance(i, Made) else i for i in inputs), options)
            for i in inputs:
                if isinstance(i, Made) and last[i] == k:
                    made.pop(i, None)
        return made[recording.output]

    return run, list(weights.values())


def call_of(library: str, name: str, x: np.ndarray, threads: int, file: str) -> Callable[[], np.ndarray]:
    """A call that runs the network lightnn.models.<name>, seed 0, on x."""
    if library == "ONNX Runtime":
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        given = session.get_inputs()[0].name
        return lambda: session.run(None, {given: x})[0]
    if library == "PyTorch":
        import torch

        torch.set_num_threads(threads)
    from lightnn import models, runtime
    from lightnn.kernels.parallel import set_num_threads

    model = getattr(models, name)(rng=0).eval()
    if library == "PyTorch":
        (run, _), given = torch_network(model, x.shape), torch.from_numpy(x)
        return torch.inference_mode()(lambda: run(given).numpy())
    set_num_threads(threads)
    lowered = runtime.lower(model, x.shape)
    del model
    return lambda: lowered(x).data


def step_of(library: str, name: str, x: np.ndarray, threads: int) -> Callable[[], np.ndarray]:
    """A call that trains the network TRAINED[name] by one step on x; it gives the loss."""
    if library == "PyTorch":
        import torch

        torch.set_num_threads(threads)
    from lightnn import functional, models, optim
    from lightnn.kernels.parallel import set_num_threads
    from lightnn.tensor import Tensor

    make, options = TRAINED[name]
    model, y = getattr(models, make)(**options, rng=0), np.arange(len(x)) % 10
    if library == "PyTorch":
        (run, weights), given, labels = (
            torch_network(model.eval(), x.shape, True),
            torch.from_numpy(x),
            torch.from_numpy(y),
        )
        optimizer, entropy = torch.optim.SGD(weights, **SGD), torch.nn.functional.cross_entropy
    else:
        set_num_threads(threads)
        run, given, labels = model.train(), Tensor(x), y
        optimizer, entropy = optim.SGD(model.parameters(), **SGD), functional.cross_entropy

    def step():
        loss = entropy(run(given), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return np.array(loss.item())

    return step


def serve(library: str, name: str, shape: tuple[int, ...], threads: int, file: str) -> None:
    """The process of one library: prints the first outputs, then for each line with a number of seconds the
    milliseconds of calls in that time, and at the end the peak resident size in MB (Linux) or null."""
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    call = step_of(library, name, x, threads) if name in TRAINED else call_of(library, name, x, threads, file)
    print(json.dumps(call().reshape(-1)[:8].tolist()), flush=True)
    for line in sys.stdin:
        call(), call()
        times, end = [], time.perf_counter() + float(line)
        while len(times) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            call()
            times.append(1e3 * (time.perf_counter() - start))
        print(json.dumps(times), flush=True)
    print(json.dumps(peak_megabytes()), flush=True)


def peak_megabytes() -> float | None:
    status = pathlib.Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


class Process:
    """`serve` in a process of its own; outputs: the first ones. Use it in a with statement."""

    def __init__(self, library: str, name: str, shape: tuple[int, ...], threads: int, file: str):
        first = {"PyTorch": "import torch; ", "ONNX Runtime": "import onnxruntime; "}.get(library, "")
        given = f"{library!r}, {name!r}, {shape}, {threads}, {file!r}"
        code = f"{first}from lightnn.bench.opponents import serve; serve({given})"
        environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.library, self.outputs = library, None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def ready(self) -> np.ndarray:
        self.outputs = np.array(self._answer())
        return self.outputs

    def burst(self, seconds: float) -> list[float]:
        """Milliseconds of calls."""
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> float | None:
        """The peak resident size in MB."""
        self._process.stdin.close()
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process that runs {self.library} ended early, status {self._process.wait()}")
        return json.loads(line)


AFTER_NUMPY = """
import time, statistics, json, numpy as np, lightnn
x, w = np.ones((8, 1280), np.float32), np.ones((1000, 1280), np.float32)
ours = lightnn.Tensor(x), lightnn.Tensor(w)
found = {}
with lightnn.no_grad():
    for name, before in (("alone", lambda: time.sleep(0.002)), ("after", lambda: x @ w.T)):
        times = []
        for _ in range(60):
            before()
            start = time.perf_counter()
            lightnn.functional.linear(*ours)
            times.append(1e3 * (time.perf_counter() - start))
        found[name] = statistics.median(times[10:])
print(json.dumps(found))
"""


def after_numpy() -> dict[str, dict[str, float]]:
    """{how threads wait: {"alone", "after"}}, each in a process of its own: median ms of a layer 1280 to 1000 and 8
    rows, after a rest and right after a product of NumPy's."""
    ways = {"asleep": {}, "awake": {"OMP_WAIT_POLICY": "active"}}
    ways["awake, OPENBLAS_THREAD_TIMEOUT=4"] = {"OMP_WAIT_POLICY": "active", "OPENBLAS_THREAD_TIMEOUT": "4"}
    ruled = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OPENBLAS_THREAD_TIMEOUT")
    plain, found = {k: v for k, v in os.environ.items() if k not in ruled}, {}
    for way, more in ways.items():
        command = [sys.executable, "-c", AFTER_NUMPY]
        found[way] = json.loads(subprocess.run(command, env=plain | more, stdout=subprocess.PIPE, check=True).stdout)
    return found
