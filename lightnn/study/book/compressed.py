"""Every compressed network in the committed results: chapter 16 draws them, and a new record joins by itself.

A record is read if it has "ways" {way: {"bytes", "test accuracy %"}} with a "reference", as the papers on few bits
write it, or "families", as `reproduce architectures` does, or "networks" with "bytes", as `reproduce composition` does.
Deep Compression's two records and Lite0's are read by their own names.
"""

import json
import statistics
from typing import NamedTuple

from lightnn.files import ROOT, need_clone


class Variant(NamedTuple):
    """A network as it was compressed. accuracy: on test images in %; base_accuracy and base_bytes: of the floats."""

    record: str
    technique: str
    network: str
    accuracy: float
    base_accuracy: float
    size_bytes: int
    base_bytes: int

    rate = property(lambda self: self.base_bytes / self.size_bytes)
    lost = property(lambda self: self.base_accuracy - self.accuracy)


def variants() -> list[Variant]:
    """All of them, by record and in the order of each record."""
    need_clone("the committed results")
    found = []
    for path in sorted((ROOT / "chapters" / "results").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        for read in (_of_ways, _of_families, _of_orders, _of_deep_compression):
            found += read(path.stem, record)
    return found


def _of_ways(name, record):
    base, ways = record.get("reference"), record.get("ways")
    if not isinstance(base, dict) or not isinstance(ways, dict) or "bytes" not in base:
        return []
    floats = ways.get("float control", base)
    return [
        Variant(
            name, way, record["network"], row["test accuracy %"], floats["test accuracy %"], row["bytes"], base["bytes"]
        )
        for way, row in ways.items()
        if row is not floats and "bytes" in row and "test accuracy %" in row
    ]


def _of_families(name, record):
    found = []
    for family, row in record.get("families", {}).items():
        base = row["float"]
        for technique in ("Deep Compression", "int8"):
            one = row[technique]
            accuracies = one["test accuracy %"], base["test accuracy %"]
            found.append(Variant(name, technique, f"small {family}", *accuracies, one["bytes"], base["bytes"]))
    return found


def _of_orders(name, record):
    rows = record.get("networks")
    if not isinstance(rows, dict) or "reference" not in rows or "bytes" not in rows["reference"]:
        return []

    def accuracy(row):
        return 100 - statistics.mean(row["error %"])

    found, base = [], rows["reference"]["bytes"]["file"]
    for order, row in rows.items():
        words = order.split()
        if "train" not in words and order != "reference":
            control = accuracy(rows[" ".join(["train"] * len(words))])
            found.append(Variant(name, order, "LeNet-5", accuracy(row), control, row["bytes"]["file"], base))
    return found


def _of_deep_compression(name, record):
    if "compressed error %" not in record:
        return []
    accuracies = 100 - record["compressed error %"], 100 - record["reference error %"]
    base = round(record["size_bytes"] * record["rate"])
    return [Variant(name, "Deep Compression", record["network"], *accuracies, record["size_bytes"], base)]
