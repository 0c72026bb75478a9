"""What pruned networks cost: parameters, MACs, bytes of the file and milliseconds. Compares whole filters with single
weights at equal parameters, and the saved time with the saved MACs."""

import functools

import numpy as np

from lightnn import compress, io, metrics, nn, runtime
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.pruning import prune_to
from lightnn.papers.li2016.tables import NETWORKS

BUDGETS = {"1/4": 0.25, "1/12": 1 / 12}  # of LeNet-5's parameters, for filters against weights
WALL_CLOCK = (("VGG-16", "A"), ("ResNet-56", "B"))


def table(
    experiment: Experiment, networks: dict[str, nn.Module], lowered: dict[str, tuple[nn.Module, str]] | None = None
) -> dict[str, dict]:
    """{name: {parameters that are left, MACs, bytes of the file, test error, milliseconds}}.

    lowered: {name: (a network for the sparse runtime, the name in `networks` of the network it was made from)}.
    """
    rows = {name: _row(experiment, model) for name, model in networks.items()}
    for name, (model, of) in (lowered or {}).items():
        rows[name] = {**rows[of], "macs": metrics.count_macs(model, experiment.subject.shape)}
        networks = {**networks, name: model}
    for batch in (1, 64):
        times = metrics.compare_latency(networks, (batch, *experiment.subject.shape[1:]), rounds=101)
        for name, time in times.items():
            rows[name][f"ms, batch {batch}"] = time.median_ms
    return rows


def _row(experiment, model):
    return {
        "parameters": round(sum(compress.density(p) * p.size for p in model.parameters())),
        "macs": metrics.count_macs(model, experiment.subject.shape),
        "size_bytes": len(io.to_bytes(model)),
        "test error %": stage.error(model, experiment.images.test),
    }


def filters_or_weights(experiment: Experiment, model: nn.Module) -> dict[str, dict]:
    """Whole filters or single weights removed, at equal parameters: {budget: {what: row of `table`}}."""
    result, recipe = {}, experiment.subject.retraining
    for budget, fraction in BUDGETS.items():
        thinned = _thinned_to(model, experiment.subject, round(fraction * metrics.count_parameters(model)))
        filters, _ = experiment.network(f"filters, {budget}", thinned, recipe)
        prepare = functools.partial(prune_weights, parameters=metrics.count_parameters(filters))
        weights, _ = experiment.network(f"weights, {budget}", model, recipe, prepare)
        rows = experiment.journal.step(
            f"filters or weights, {budget}", lambda f=filters, w=weights: _compare(experiment, model, f, w)
        )
        for what, row in rows.items():
            numbers = f"{row['parameters']:,} parameters, test error {row['test error %']} %"
            experiment.say(f"{experiment.name:<9} {budget} {what}: {numbers}")
        result[budget] = rows
    return result


def _thinned_to(model, subject, parameters):
    """The network without an equal fraction of each layer's filters, so that at most `parameters` are left."""
    for fraction in np.arange(0.01, 0.96, 0.01):
        thinned = compress.prune_filters(model, subject.shape, dict.fromkeys(subject.layers, float(fraction)))
        if metrics.count_parameters(thinned) <= parameters:
            return thinned
    raise ValueError(f"want {parameters} parameters left, which takes more than 95 % of each layer's filters")


def prune_weights(model: nn.Module, parameters: int) -> None:
    """Keep this many weights and biases: conv1 keeps most, conv2 and fc1 the same fraction."""
    layers = {name: getattr(model, name).weight.size for name in ("conv1", "conv2", "fc1", "fc2")}
    biases = metrics.count_parameters(model) - sum(layers.values())
    keeps = {"conv1": 0.66, "fc2": 0.25}
    fixed = sum(keep * layers[name] for name, keep in keeps.items())
    rest = (parameters - biases - fixed) / (layers["conv2"] + layers["fc1"])
    prune_to(model, keeps | {"conv2": rest, "fc1": rest})


def _compare(experiment, dense, filters, weights):
    """The rows of three networks: dense, with fewer filters, and with fewer weights, the last one run in two ways."""
    networks = {"dense": dense, "filters": filters, "weights, run dense": weights}
    return table(experiment, networks, {"weights, run sparse": (runtime.lower(weights), "weights, run dense")})


def wall_clock() -> dict[str, dict[str, float]]:
    """{network and cut: {"MACs": ratio, "batch N": ratio of the times}} for the paper's networks, cut as in table 1."""
    ratios = {}
    for name, letter in WALL_CLOCK:
        make, shape, cuts = NETWORKS[name]
        model = make(rng=0)
        thinned = compress.prune_filters(model, shape, cuts[letter](compress.channels(model, shape)))
        ratios[f"{name} {letter}"] = {"MACs": metrics.count_macs(thinned, shape) / metrics.count_macs(model, shape)}
        for batch in (1, 8):
            times = metrics.compare_latency({"whole": model, "thin": thinned}, (batch, *shape[1:]), rounds=31)
            ratios[f"{name} {letter}"][f"batch {batch}"] = times["thin"].median_ms / times["whole"].median_ms
    return ratios
