"""lightnn/study/book/survey.py: every term has a function, and every chapter on techniques that exists has a term."""

from lightnn.exercise import REGISTRY
from lightnn.study.book import launch, survey


def test_every_term_names_a_function_even_of_chapters_to_come():
    assert all(callable(term.find()) for term in survey.TERMS)
    assert len({(t.korean, t.chapter) for t in survey.TERMS}) == len(survey.TERMS)


def test_a_row_for_each_term_of_the_chapters_there_are():
    rows, there = survey.survey_rows(), launch.numbers()
    assert [row[0] for row in rows] == [t.korean for t in survey.TERMS if t.chapter in there]
    assert {row[2] for row in rows} == set(there) - {"00", "01"}
    for *_, chapter, function, exercise in rows:
        assert exercise == "" or REGISTRY[exercise].__name__ == function.rpartition(".")[2], chapter


def test_a_chapter_to_come_joins_by_itself(monkeypatch):
    monkeypatch.setattr(launch, "numbers", lambda: ["05"])
    assert {row[2] for row in survey.survey_rows()} == {"05"}
