"""What pruned networks cost: parameters, MACs, bytes of the file and milliseconds; whole filters against single weights
at equal parameters; and whether the clock follows the MACs."""

import numpy as np

from lightnn import compress, io, metrics, runtime
from lightnn.papers.han2015.curves import prune_to
from lightnn.papers.lab import stage
from lightnn.papers.li2016.tables import NETWORKS

BUDGETS = {"1/4": 0.25, "1/12": 1 / 12}  # of LeNet-5's parameters, for filters against weights
WALL_CLOCK = (("VGG-16", "A"), ("ResNet-56", "B"))


def table(lab, networks, lowered=None):
    """{name: parameters that are left, MACs, bytes of the file, test error, milliseconds} of networks.

    lowered: {name: (the same network to be run by the sparse runtime, its name in `networks`)}.
    """
    rows = {name: _row(lab, model) for name, model in networks.items()}
    for name, (model, of) in (lowered or {}).items():
        rows[name] = {**rows[of], "macs": metrics.count_macs(model, lab.subject.shape)}
        networks = {**networks, name: model}
    for batch in (1, 64):
        times = metrics.compare_latency(networks, (batch, *lab.subject.shape[1:]), rounds=101)
        for name, time in times.items():
            rows[name][f"ms, batch {batch}"] = time.median_ms
    return rows


def _row(lab, model):
    return {
        "parameters": round(sum(compress.density(p) * p.size for p in model.parameters())),
        "macs": metrics.count_macs(model, lab.subject.shape),
        "size_bytes": len(io.to_bytes(model)),
        "test error %": stage.error(model, lab.images.test),
    }


def filters_or_weights(lab, model, say):
    """At equal parameters, whole filters gone or single weights: {budget: {what: row of `table`}}."""
    result, how = {}, {"epochs": lab.subject.retrain_epochs, "lr": lab.subject.retrain_lr}
    for budget, share in BUDGETS.items():
        thinned = _thinned_to(model, lab.subject, round(share * metrics.count_parameters(model)))
        filters, _ = lab.network(f"filters, {budget}", thinned, **how)
        left = metrics.count_parameters(filters)
        weights, _ = lab.network(f"weights, {budget}", model, lambda twin, left=left: _prune_weights(twin, left), **how)
        rows = lab.journal.step(
            f"filters or weights, {budget}", lambda f=filters, w=weights: _compare(lab, model, f, w)
        )
        for what, row in rows.items():
            say(f"{lab.name:<9} {budget} {what}: {row['parameters']:,} parameters, test error {row['test error %']} %")
        result[budget] = rows
    return result


def _thinned_to(model, subject, parameters):
    """The network with equal shares of all layers' filters gone, so that at most `parameters` are left."""
    for share in np.arange(0.01, 0.96, 0.01):
        thinned = compress.prune_filters(model, subject.shape, dict.fromkeys(subject.layers, float(share)))
        if metrics.count_parameters(thinned) <= parameters:
            return thinned
    raise ValueError(f"want {parameters} parameters left, which takes more than 95 % of each layer's filters")


def _prune_weights(model, parameters):
    """Leave as many weights and biases: conv1 keeps most, the other layers as much as each other."""
    layers = {name: getattr(model, name).weight.size for name in ("conv1", "conv2", "fc1", "fc2")}
    biases = metrics.count_parameters(model) - sum(layers.values())
    keeps = {"conv1": 0.66, "fc2": 0.25}
    fixed = sum(keep * layers[name] for name, keep in keeps.items())
    rest = (parameters - biases - fixed) / (layers["conv2"] + layers["fc1"])
    prune_to(model, keeps | {"conv2": rest, "fc1": rest})


def _compare(lab, dense, filters, weights):
    """The rows of the dense network, the one with fewer filters, and the one with fewer weights, run in two ways."""
    networks = {"dense": dense, "filters": filters, "weights, run dense": weights}
    return table(lab, networks, {"weights, run sparse": (runtime.lower(weights), "weights, run dense")})


def wall_clock():
    """{network and cut: {"MACs": ratio, "batch N": ratio of the times}} for networks of the paper cut as in table 1."""
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
