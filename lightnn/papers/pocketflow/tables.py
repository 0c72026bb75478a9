"""What each optimiser finds, and what it costs; at most 80 columns."""

from lightnn.tables import text_table

HEAD = ["optimiser", "bytes", "smaller", "test %", "loss", "best reward"]
AIM_RATIO, AIM_LOSS = 20, 0.5
NOTES = (
    "loss: points against the control, trained as long without compression. Best",
    "reward: on validation images, after the short trainings of the search.",
)


def format_tables(result: dict) -> str:
    """The optimisers; what the best of them chose; whether the aim is met."""
    before, control = result["before"], result["control"]["test %"]
    rows = [["before", before["bytes"], "", f"{before['test %']:.2f}", "", ""]]
    rows.append(["control", before["bytes"], "", f"{control:.2f}", "", ""])
    for name, row in result["found"].items():
        ratio, loss = before["bytes"] / row["bytes"], control - row["test %"]
        rows.append(
            [name, row["bytes"], f"{ratio:.1f}x", f"{row['test %']:.2f}", f"{loss:.2f}", f"{row['reward']:.4f}"]
        )
    caption = f"{result['network']}, MNIST, {result['learners']}, {result['evaluations']} evaluations each"
    return "\n".join([caption, text_table("", HEAD, rows), *NOTES, "", _chosen(result), "", *_lines(result)])


def _chosen(result):
    names = list(result["found"])
    keys = list(result["found"][names[0]]["chosen"])
    rows = [[key, *(result["found"][name]["chosen"][key] for name in names)] for key in keys]
    return text_table("", ["chosen", *names], rows)


def _lines(result):
    met = [name for name, row in result["found"].items() if meets_aim(result, row)]
    yield f"aim, {AIM_RATIO}x at no more than {AIM_LOSS} point: {'met by ' + ', '.join(met) if met else 'missed'}"
    clock = result["search"]
    own = 100 * (1 - clock["in evaluations"] / max(clock["seconds"], 1e-9))
    yield f"{clock['evaluations']} evaluations; {clock['seconds']:.0f} s, of which {own:.1f} % are the searches' own"


def meets_aim(result: dict, row: dict) -> bool:
    """Whether a row is so much smaller at no more loss."""
    ratio, loss = result["before"]["bytes"] / row["bytes"], result["control"]["test %"] - row["test %"]
    return ratio >= AIM_RATIO and round(loss, 2) <= AIM_LOSS
