"""lightnn/study/book/compressed.py: every record with compressed networks is read, and their numbers are sound."""

from lightnn.study import result
from lightnn.study.book.compressed import variants


def test_records_of_every_form_are_read():
    found = variants()
    records = {v.record for v in found}
    assert {"twn", "xnor", "architectures", "composition", "deep_compression_lenet5"} <= records
    assert all(0 < v.accuracy <= 100 and v.size_bytes > 1000 and v.rate > 0.9 for v in found)


def test_a_variant_is_what_its_record_says():
    one = next(v for v in variants() if v.record == "twn" and v.technique == "D = 0.7 E|W|")
    way = result("twn")["ways"]["D = 0.7 E|W|"]
    assert (one.accuracy, one.size_bytes) == (way["test accuracy %"], way["bytes"])
    assert 17 < one.rate < 19 and abs(one.lost - 0.21) < 0.02
    deep = next(v for v in variants() if v.record == "deep_compression_lenet5")
    assert abs(deep.rate - 90.8) < 0.1
