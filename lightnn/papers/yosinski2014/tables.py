"""Test accuracies by layer, and with few labels."""

import numpy as np

from lightnn.tables import text_table

SAID = (
    "The paper, on halves of ImageNet and eight layers: frozen layers lose for two",
    "reasons, split from layers that grew with them, and made for another task;",
    "layers of a distant task can be better than random ones; with fine-tuning,",
    "transferred layers gain.",
)


def spread_text(values: list[float]) -> str:
    """The mean over the seeds, and their standard deviation where there are several."""
    spread = f" +-{np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{np.mean(values):.1f}{spread}"


def format_tables(result: dict) -> str:
    """All, at most 80 columns wide."""
    halves, digits = result["halves"], result["digits"]
    caption = (
        f"% of test images right: {result['images']:,} training images a half, {result['epochs']} epochs, "
        f"{result['seeds']} halvings\nbase B {spread_text(halves['base B'])}, trained on for as long again "
        f"{spread_text(halves['base B, twice'])}"
    )
    other = f"digits (M) to Fashion-MNIST (F), {2 * result['images']:,} images; from scratch "
    parts = [caption, _by_layer(halves, ("BnB", "BnB+", "AnB", "AnB+", "RnB")), "\n".join(SAID)]
    parts += [other + spread_text(digits["base F"]), _by_layer(digits, ("MnF", "MnF+", "RnF")), *_few(result)]
    return "\n\n".join(parts)


def _by_layer(found, names):
    rows = [[name, *map(spread_text, found[name].values())] for name in names]
    return text_table("", ["", *(f"n = {n}" for n in found[names[0]])], rows)


def _few(result):
    few, head = result["few"], ["labels a class", *map(str, result["labels"])]
    found = []
    for name, what in (("halves", "A to B"), ("digits", "digits to Fashion-MNIST")):
        rows = [[way, *map(spread_text, row.values())] for way, row in few[name].items()]
        if name == "digits" and "frozen" in few["lite0"]:
            rows.append(["EfficientNet-Lite0, frozen", *map(spread_text, few["lite0"]["frozen"].values())])
        found.append(text_table(what, head, rows))
    if "left out" in few["lite0"]:
        found.append(f"EfficientNet-Lite0 left out: {few['lite0']['left out']}")
    return found
