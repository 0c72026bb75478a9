"""Deep Compression of LeNet-300-100 (Han, Mao & Dally, ICLR 2016, arXiv 1510.00149, section 4.1 and tables 1 and 2).

`compress_lenet_300_100` is the experiment: train, prune and retrain in steps, share and fine-tune the centres, write
the file; `Table2` gives the paper's counts for any network compressed like this, beside the paper's own.
"""

import time
from dataclasses import dataclass

import numpy as np

from lightnn import compress, data, io, models, optim
from lightnn.compress import adjust_dropout, density, prune, quality_for, share
from lightnn.io import huffman, sparse_index
from lightnn.training import evaluate, train

DENSE_BYTES = 4 * 266_610  # float32 weights and biases of LeNet-300-100: the paper's 1070 KB
PAPER_TABLE_1 = {"reference error %": 1.64, "compressed error %": 1.58, "size_bytes": 27_000, "rate": 40}
PAPER_TABLE_2 = {  # weights, kept %, bits of a weight (P+Q, P+Q+H), bits of an index (same), rate % (same)
    "fc1": ("235K", 8, 6, 4.4, 5, 3.7, 3.1, 2.32),
    "fc2": ("30K", 9, 6, 4.4, 5, 4.3, 3.8, 3.04),
    "fc3": ("1K", 26, 6, 4.3, 5, 3.2, 15.7, 12.70),
    "total": ("266K", 8, 6, 5.1, 5, 3.7, 3.1, 2.49),
}
PAPER_INDEX_BITS = 5


@dataclass(frozen=True)
class Recipe:
    """The choices of the experiment, all made on the validation split.

    keep: for each pruning step, the share of fc1's weights that stay; fc2 keeps twice and fc3 six times as much,
    because the sensitivity scan says that they bear less. bits: of the codes of fc1, fc2, fc3, and of the biases.
    """

    epochs: int = 15
    lr: float = 0.1
    keep: tuple = (0.25, 0.1, 0.05)
    retrain_epochs: tuple = (5, 5, 30)
    retrain_lr: float = 0.05
    bits: tuple = (4, 4, 4, 4)
    tune_epochs: int = 5
    tune_lr: float = 1e-3
    batch_size: int = 100
    momentum: float = 0.9
    weight_decay: float = 5e-5
    dropout: float = 0.0
    max_shift: int = 1


FULL = Recipe()
QUICK = Recipe(epochs=5, keep=(0.2, 0.08), retrain_epochs=(2, 5), tune_epochs=1)
RELATIVE_KEEP = {"fc1": 1, "fc2": 2, "fc3": 6}


class Interrupted(Exception):
    """Ctrl-C ended a stage; the network as it was reached has been saved."""


def compress_lenet_300_100(path, recipe=FULL, seed=0, progress=True, say=print):
    """Run the experiment on MNIST and write the network to path; the results, as a dict of plain numbers.

    The last 5,000 training images are the validation set, which picks the best epoch of each stage; the test set is
    used once for the reference and once for the loaded file. say: called with a line after each stage. The file is
    written after every stage, so that Ctrl-C loses none that is finished: then Interrupted is raised.
    """
    start, mnist = time.perf_counter(), data.load_mnist()
    training, validation = (
        (mnist.x_train[:-5000], mnist.y_train[:-5000]),
        (mnist.x_train[-5000:], mnist.y_train[-5000:]),
    )
    model = models.lenet_300_100(dropout=recipe.dropout, rng=seed)
    rng, stages = np.random.default_rng(seed), []

    def stage(name, epochs, lr, weight_decay=recipe.weight_decay):
        optimizer = optim.SGD(model.parameters(), lr=lr, momentum=recipe.momentum, weight_decay=weight_decay)
        history = train(
            model,
            training,
            epochs=epochs,
            optimizer=optimizer,
            batch_size=recipe.batch_size,
            schedule=optim.CosineLR(optimizer, epochs),
            augment=lambda x, rng: data.random_shift(x, recipe.max_shift, rng=rng),
            validation=validation,
            rng=rng,
            progress=progress,
            description=name,
        )
        size = io.save(model, path)
        if history.interrupted:
            raise Interrupted(f"interrupted in the stage '{name}': {path} holds the network as far as it got")
        error, seconds = 100 - 100 * evaluate(model, *validation, progress=False), time.perf_counter() - start
        stages.append({"stage": name, "validation error %": round(error, 2), "size_bytes": size, "seconds": seconds})
        say(f"{name:<34} validation error {error:5.2f} %  {size:>9,} bytes  {seconds:4.0f} s")

    stage("train the reference", recipe.epochs, recipe.lr)
    reference = evaluate(model, mnist.x_test, mnist.y_test, progress=False)
    for keep, epochs in zip(recipe.keep, recipe.retrain_epochs, strict=True):
        prune_layers(model, keep, recipe.dropout)
        stage(f"prune to {keep:.0%} of fc1, retrain", epochs, recipe.retrain_lr)
    share_layers(model, recipe.bits)
    stage("share weights, tune the centres", recipe.tune_epochs, recipe.tune_lr, weight_decay=0)
    loaded = evaluate(io.load(path), mnist.x_test, mnist.y_test, progress=False)
    return {"stages": stages, **results(model, path, reference, loaded, time.perf_counter() - start)}


def prune_layers(model, keep, dropout):
    """One pruning step: fc1 keeps the share `keep` of its weights, and its dropout is adjusted (section 3.2 of Han
    2015)."""
    for name, relative in RELATIVE_KEEP.items():
        p = getattr(model, name).weight
        prune(p, quality_for(p().data, min(1.0, relative * keep), None if p.support is None else p.support.mask))
    for layer, connections in ((model.dropout1, model.fc1.weight), (model.dropout2, model.fc2.weight)):
        layer.p = adjust_dropout(dropout, connections.size, density(connections) * connections.size)


def share_layers(model, bits):
    """k-means with linear initialisation: 2^bits values for each of fc1, fc2, fc3, and for each bias vector (which the
    paper leaves as float32 and does not count)."""
    for (name, _), b in zip(RELATIVE_KEEP.items(), bits[:3], strict=True):
        share(getattr(model, name).weight, b)
        share(getattr(model, name).bias, bits[3])


def results(model, path, reference, loaded, seconds):
    """Everything measured, as numbers that JSON can hold."""
    report = io.inspect(path)
    return {
        "reference error %": round(100 - 100 * reference, 2),
        "compressed error %": round(100 - 100 * loaded, 2),
        "size_bytes": report.size_bytes,
        "rate": DENSE_BYTES / report.size_bytes,
        "bytes by part": report.bytes_by_part(),
        "table 2": table_2({name: getattr(model, name).weight for name in RELATIVE_KEEP}),
        "seconds": seconds,
    }


def table_2(weights, index_bits=PAPER_INDEX_BITS):
    """The paper's table 2 for {name: Parameter with Mask and Codebook}: {name or "total": column values}.

    The paper's counting rule (worked out from its rows): fillers cost a weight and an index; a codebook is 2^bits
    float32 values; biases and Huffman tables are not counted. Rates are of 32 bits a weight, in %.
    """
    rows = {name: _count(p, index_bits) for name, p in weights.items()}
    total = {key: sum(row[key] for row in rows.values()) for key in next(iter(rows.values()))}
    return {name: _columns(row) for name, row in [*rows.items(), ("total", total)]}


def _count(p, index_bits):
    """The bits of one layer: sums that may be added over layers."""
    encoded = compress.encode(p)
    differences, is_filler = sparse_index.relative(np.flatnonzero(encoded["mask"]), index_bits)
    codebook = encoded["codebook"]
    zero = len(codebook)  # a filler's value, which is in no codebook, is one symbol more under Huffman
    values = np.full(differences.size, zero)
    values[~is_filler] = encoded["codes"]
    bits = int(zero - 1).bit_length()
    return {
        "weights": p.size,
        "kept": int((~is_filler).sum()),
        "entries": differences.size,
        "value bits": bits * differences.size,
        "value bits H": _huffman_bits(values),
        "index bits": index_bits * differences.size,
        "index bits H": _huffman_bits(differences),
        "codebook bits": 32 * 2**bits,
    }


def _huffman_bits(values):
    counts = np.bincount(values)
    return int(huffman.code_lengths(counts) @ counts)


def _columns(row):
    dense, entries = 32 * row["weights"], max(row["entries"], 1)
    return {
        "weights": row["weights"],
        "kept %": 100 * row["kept"] / row["weights"],
        "weight bits": row["value bits"] / entries,
        "weight bits H": row["value bits H"] / entries,
        "index bits": row["index bits"] / entries,
        "index bits H": row["index bits H"] / entries,
        "rate %": 100 * (row["value bits"] + row["index bits"] + row["codebook bits"]) / dense,
        "rate % H": 100 * (row["value bits H"] + row["index bits H"] + row["codebook bits"]) / dense,
    }


def format_tables(result):
    """The paper's tables 1 and 2 beside ours, as text of at most 80 columns."""
    lines = ["LeNet-300-100 on MNIST            reference   compressed        size    rate"]
    for who, row in (("lightnn (file, everything)", result), ("paper (no Huffman tables)", PAPER_TABLE_1)):
        errors = f"{row['reference error %']:9.2f} % {row['compressed error %']:10.2f} %"
        lines.append(f"{who:<32} {errors} {row['size_bytes']:>9,} B {row['rate']:5.0f} x")
    lines += ["", f"{'':<19}  weights  kept %  {'weight bits':^12} {'index bits':^12} {'rate %':^13}"]
    lines += [f"{'':<19}  {'':<7}  (P)     {'P+Q':>5} {'+H':>5}  {'P+Q':>5} {'+H':>5}  {'P+Q':>6} {'+H':>6}"]
    for name, row in result["table 2"].items():
        _, *paper = PAPER_TABLE_2[name]
        for who, count, numbers in (("lightnn", f"{row['weights']:,}", list(row.values())[1:]), ("paper", "", paper)):
            keep, w, wh, i, ih, r, rh = numbers
            first = name if who == "lightnn" else ""
            columns = f"{keep:6.1f}  {w:5.1f} {wh:5.1f}  {i:5.1f} {ih:5.1f}  {r:6.2f} {rh:6.2f}"
            lines.append(f"{first:<9} {who:<8} {count:>9}  {columns}")
    lines.append("P pruned, Q shared, H Huffman. The paper's counting rule: fillers and codebooks")
    lines.append("count, biases and Huffman tables do not. Paper: arXiv 1510.00149, tables 1, 2.")
    return "\n".join(line.rstrip() for line in lines)
