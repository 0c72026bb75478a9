"""The survey's terms, and where this book has them: term -> chapter -> function -> exercise, as a table in chapter 01.

A row shows once its chapter exists, so a later chapter joins by itself. The exercise is found by the function: none is
written here.
"""

import importlib
from collections.abc import Callable
from typing import NamedTuple

from lightnn.study.book import launch


class Term(NamedTuple):
    """A term of the survey, in Korean and English; its chapter; a function of the library, "package:name"."""

    korean: str
    english: str
    chapter: str
    function: str

    def find(self) -> Callable:
        package, _, name = self.function.partition(":")
        return getattr(importlib.import_module(f"lightnn.{package}"), name)


TERMS = (
    Term("가지치기", "weight pruning", "02", "compress:prune"),
    Term("민감도", "sensitivity", "02", "compress:sensitivity"),
    Term("점진적 가지치기", "gradual pruning", "02", "compress:gradual_sparsity"),
    Term("필터 가지치기", "filter pruning", "03", "compress:filter_norms"),
    Term("가중치 공유", "weight sharing (Deep Compression)", "04", "compress:share"),
    Term("허프만 부호", "Huffman coding", "04", "io.huffman:code_lengths"),
    Term("희소 행렬", "sparse indices", "04", "io.sparse_index:relative"),
    Term("지식 증류", "distillation", "05", "training:distillation_loss"),
    Term("앙상블", "ensembles", "05", "training:mean_logits"),
    Term("전이 학습", "transfer learning", "05", "papers.yosinski2014:reproduce"),
    Term("곱 양자화", "And the bit goes down: product quantization", "06", "compress:product_quantize"),
    Term("양자화 네트워크", "Quantization Networks", "07", "compress:soft_quantizer"),
    Term("가중치·활성값 양자화", "quantization to integers", "08", "compress:quantize"),
    Term("기울기 양자화", "quantized gradients", "08", "compress:qsgd_levels"),
    Term("이진화", "binarization", "09", "compress:use_binary"),
    Term("XNOR-Net", "signs and scales", "09", "models:xnor_lenet5"),
    Term("K-비트 양자화", "K bits", "10", "compress:use_dorefa"),
    Term("삼진 가중치", "ternary weights", "10", "compress:use_ternary"),
    Term("AlexNet", "large filters", "11", "models:alexnet"),
    Term("잔차 연결", "residual blocks (ResNet)", "11", "functional.plain:residual_block"),
    Term("병목 구조", "bottlenecks", "11", "metrics:bottleneck_macs"),
    Term("인셉션", "inception (GoogLeNet)", "11", "models:googlenet"),
    Term("밀집 연결", "dense connections (DenseNet)", "11", "metrics:dense_channels"),
    Term("SqueezeNet", "squeeze and expand", "11", "models:squeezenet1_1"),
    Term("DeepLab", "segmentation with dilation", "11", "models:deeplab"),
    Term("팽창 합성곱", "dilated convolution", "12", "functional.plain:conv2d"),
    Term("점별 합성곱", "pointwise convolution", "12", "functional:conv2d"),
    Term("깊이별 분리 합성곱", "depthwise-separable (MobileNet)", "12", "functional:depthwise_conv2d"),
    Term("그룹 합성곱", "grouped convolution (ShuffleNet)", "12", "functional:grouped_conv2d"),
    Term("시프트", "shift (ShiftNet)", "12", "functional:shift2d"),
    Term("복합 확장", "compound scaling (EfficientNet)", "13", "models:compound_scale"),
    Term("NetAdapt", "narrowed by measured latency", "14", "search:netadapt"),
    Term("MnasNet", "architectures by reward", "14", "search:latency_reward"),
    Term("AMC", "an agent that prunes", "14", "search:amc"),
    Term("PocketFlow", "learners and optimisers", "14", "search:pocketflow"),
    Term("하드웨어 가속화", "roofline", "15", "metrics:attainable"),
    Term("시스톨릭 배열", "systolic arrays", "15", "metrics:simulate_systolic"),
    Term("희소 가속기", "sparse accelerators", "15", "metrics:eie_cycles"),
    Term("정보 밀도", "information density", "16", "metrics:information_density"),
    Term("NetScore", "NetScore", "16", "metrics:netscore"),
    Term("매개변수와 연산량", "parameters and MACs", "16", "metrics:trace"),
    Term("추론 시간, 지연 시간", "latency", "16", "metrics:latency"),
    Term("학습 메모리", "training memory", "16", "metrics:training_memory"),
    Term("저장 용량", "bytes on disk", "16", "io:inspect"),
)


def survey_rows() -> list[tuple[str, str, str, str, str]]:
    """(Korean, English, chapter, function, exercise or "") of each term whose chapter exists."""
    there, rows = launch.numbers(), []
    for term in TERMS:
        if term.chapter in there:
            function = term.find()
            rows.append((term.korean, term.english, term.chapter, term.function.replace(":", "."), _exercise(function)))
    return rows


def _exercise(function):
    return getattr(function, "exercise", "")


def show_survey() -> None:
    """Display the table. Needs IPython."""
    from IPython.display import Markdown, display

    lines = ["| the survey's term | | chapter | function | exercise |", "|---|---|---|---|---|"]
    for korean, english, chapter, function, exercise in survey_rows():
        name = launch.chapter(chapter).name
        lines.append(f"| {korean} | {english} | [{chapter}]({name}) | `{function}` | {exercise} |")
    display(Markdown("\n".join(lines)))
