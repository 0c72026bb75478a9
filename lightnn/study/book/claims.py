"""Claims on times: what a chapter's prose says of times that it measures while it runs.

A claim on a committed number holds everywhere, and an `assert` says it. A claim on times holds on the machine that the
committed chapter ran on; on another one, or beside another program, it may not. It is said, and stops nobody.
"""

NOT_HERE = "Not so on this machine now: "


def timed(holds: bool, claim: str) -> None:
    """Print that `claim`, which the prose makes of times just measured, does not hold here; nothing if it `holds`."""
    if not holds:
        print(NOT_HERE + claim)


def missed(cells) -> list[str]:
    """The claims on times that did not hold when these cells ran."""
    printed = [o["text"] for c in cells for o in c.get("outputs", []) if o.get("output_type") == "stream"]
    lines = [line for text in printed for line in text.splitlines()]
    return [line.removeprefix(NOT_HERE) for line in lines if line.startswith(NOT_HERE)]
