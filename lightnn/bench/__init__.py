"""Benchmarks, run by `python -m lightnn bench`: timings against PyTorch (or plain NumPy), and counts.

suite.py        Suite and suites(): how a benchmark registers itself by the SUITE in its module; `run`
convolution.py  dense, depthwise, grouped, shift: forward and both gradients
filters.py      one network with five filters: its errors over three seeds
binary.py       products of signs on packed bits
int8.py         kernels of 8-bit integers, and PyTorch's
inference.py    lowered float networks against PyTorch and ONNX Runtime; opponents.py: their processes
look_up.py      fully connected layers by tables of blocks and centroids
networks.py     whole networks in int8 against float32
quantization.py what fewer bits gain and cost; survey_table.py belongs to it
roofline.py     peaks and bandwidths of one core, measured (peaks.py), and kernels under that roof
retraining.py   what retraining after pruning gains
sparse.py       sparse layers against dense ones and PyTorch's CSR
techniques.py   what each technique saves and costs on one LeNet-5
training.py     training time and memory of both LeNets
zoo.py          parameters, MACs and accuracies of ImageNet's classifiers; zoo_measures.py: their times
timing.py       the stopwatch: calls that take turns
"""
