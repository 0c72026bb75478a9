"""Chapter 01's map: the survey's two branches, their methods, and which of them start from a trained network."""

from typing import NamedTuple

from lightnn.study.book import COLORS, figure

FONTS = ("NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo", "AppleGothic", "Noto Sans CJK KR", "Noto Sans KR")
LOOKS = {  # how a method starts: (face, hatch)
    "a new network": ("white", None),
    "a trained network": (COLORS[2], None),
    "either": ("white", "////"),
}


class Method(NamedTuple):
    """A box of the map."""

    english: str
    korean: str
    start: str
    chapters: str


BRANCHES = {  # the first has one column of boxes, the second two
    ("Lightweight algorithms: light by design", "경량 딥러닝 알고리즘"): [
        Method("structure", "모델 구조 변경", "a new network", "11 residual, bottleneck, dense\n13 compound scaling"),
        Method("filters", "합성곱 필터 변경", "a new network", "12 MobileNet, ShuffleNet,\nshift"),
        Method("model search", "자동 모델 탐색", "either", "14 MnasNet (new),\nNetAdapt (trained)"),
    ],
    ("Lightening an algorithm: compress what there is", "알고리즘 경량화"): [
        Method("pruning", "가지치기", "a trained network", "02 weights, 03 filters"),
        Method("weight sharing", "가중치 공유", "a trained network", "04 Deep Compression\n06 And the bit goes down"),
        Method("quantization", "양자화, 이진화", "either", "07 quantization networks\n08 int8, 09 one bit, 10 K bits"),
        Method("distillation", "지식 증류", "either", "05 new student, trained\nteacher; transfer"),
        Method("automatic", "자동 탐색", "a trained network", "14 AMC, PocketFlow"),
        Method("hardware", "하드웨어 가속화", "a trained network", "15 roofline, SIMD, bits"),
    ],
}


def draw_field() -> None:
    """Draw the map. Korean words appear where a font has them; the table in the chapter has them in any case."""
    import matplotlib.pyplot as plt
    from matplotlib import font_manager
    from matplotlib.patches import Patch

    there = {font.name for font in font_manager.fontManager.ttflist}
    korean = [name for name in FONTS if name in there][:1]
    with plt.rc_context({"font.family": ["DejaVu Sans", *korean]}), figure(width=11, height=4.4) as ax:
        for (head, name), x, width in zip(BRANCHES, (0, 1.06), (0.97, 1.97)):
            ax.bar(x, 0.62, width, bottom=3.1, align="edge", color=COLORS[0])
            words = f"{head}\n{name}" if korean else head
            ax.text(x + width / 2, 3.41, words, ha="center", va="center", color="white", fontsize=11)
        first, second = BRANCHES.values()
        for x, methods in zip((0, 1.06, 2.06), (first, second[:3], second[3:])):
            for row, method in enumerate(methods):
                _box(ax, x, 2.05 - row, method, bool(korean))
        starts = [
            Patch(facecolor=face, hatch=hatch, edgecolor=COLORS[0], label=f"starts from {start}")
            for start, (face, hatch) in LOOKS.items()
        ]
        ax.legend(handles=starts, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=3)
        ax.set(xlim=(-0.01, 3.05), ylim=(0, 3.75))
        ax.axis("off")


def _box(ax, x, y, method, korean):
    """One method: how it starts at the left, its names, the chapters."""
    face, hatch = LOOKS[method.start]
    ax.bar(x, 0.9, 0.97, bottom=y, align="edge", facecolor="white", edgecolor=COLORS[0], lw=1.2)
    ax.bar(x, 0.9, 0.06, bottom=y, align="edge", facecolor=face, hatch=hatch, edgecolor=COLORS[0], lw=1.2)
    words = f"{method.english} · {method.korean}" if korean else method.english
    ax.text(x + 0.09, y + 0.7, words, va="center", fontsize=11)
    ax.text(x + 0.09, y + 0.29, method.chapters, va="center", fontsize=10, color="0.25")
