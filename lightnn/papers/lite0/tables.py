"""EfficientNet-Lite0's files and agreement as a table, and the aims.

Issue 16's aim, which no paper states: int8 after training in a file of at most 5.0 MB, with at least 95 % of the float
network's classes. Liu 2020 reports for ImageNet's validation images: Lite0 75.1 % in float, 74.4 % in int8.
"""

from lightnn.tables import text_table

MOST_BYTES, LEAST_AGREEMENT = 5_000_000, 95.0
AIMED = "8 bits, balanced"


def format_tables(result: dict) -> str:
    """Bytes, times smaller, and agreement of each way; agreement by photograph; the aims. 80 columns."""
    rows = result["rows"]
    whole = rows["float32"]["bytes"]
    body = [
        [
            way.replace("batch norms,", "norms,"),
            row["bytes"],
            row["packed bytes"],
            f"{whole / row['bytes']:.1f}",
            *percents(row),
            f"{row['KL']:.3f}",
        ]
        for way, row in rows.items()
    ]
    caption = (
        f"EfficientNet-Lite0, {result['parameters']:,} parameters, not trained further: the file, and\n"
        f"agreement with the float network on {result['crops']} crops of {result['photographs']} photographs"
    )
    head = ["", "file", "packed", "x", "top-1", "sure", "top-5", "KL"]
    return "\n\n".join([text_table(caption, head, body), by_photograph(rows), aims(rows), NOTES])


def percents(row: dict) -> list[str]:
    """Agreement in %: top-1, top-1 where the float network is sure, top-5."""
    return ["-" if row[f"{what} %"] is None else f"{row[f'{what} %']:.1f}" for what in ("top-1", "sure", "top-5")]


def by_photograph(rows: dict) -> str:
    """Top-1 agreement of the aimed way, photograph by photograph."""
    own = rows[AIMED]["by photograph"]
    lines = [f"{name} {percent:.0f}" for name, percent in own.items()]
    pieces, line = [], f"{AIMED}, top-1 % by photograph:"
    for each in lines:
        if len(line) + len(each) + 2 > 80:
            pieces.append(line)
            line = " "
        line += f" {each},"
    return "\n".join([*pieces, line.rstrip(",")])


def aims(rows: dict) -> str:
    """Both aims, and whether they are met."""
    row = rows[AIMED]
    small, agrees = row["bytes"] <= MOST_BYTES, row["top-1 %"] >= LEAST_AGREEMENT
    size = f"file of at most {MOST_BYTES:,} bytes: {row['bytes']:,}  {'yes' if small else 'no'}"
    same = f"top-1 agreement of at least {LEAST_AGREEMENT:.0f} %: {row['top-1 %']:.2f} %  {'yes' if agrees else 'no'}"
    return f"aims, {AIMED}\n  {size}\n  {same}"


NOTES = """\
file: bytes by os.path.getsize, in Huffman codes; packed: had each code K bits.
In %, top-1: the same class; sure: top-1 where the float network gives its class
50 % or more; top-5: the float network's class is among the five largest; KL:
mean divergence. Integers run in integers, nothing is retrained. Agreement is no
accuracy: these photographs have no labels. Each is tested by networks that were
calibrated on others.
Reported for Lite0 on ImageNet: 75.1 % as floats, 74.4 % in int8 (Liu 2020,
tensorflow/tpu; from memory, unverified)."""
