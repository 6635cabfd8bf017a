"""The documentation inside Python: real text, without a download."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lvm.data.pydocs import FEWEST_WORDS, python_articles
from lvm.data.text import Article, chunk_text
from lvm.errors import DataError

LONG = " ".join(["This sentence has five words."] * (FEWEST_WORDS // 5 + 1))


@pytest.fixture(scope="module")
def own() -> list[Article]:
    return python_articles()


def library(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def module(*docstrings: str) -> str:
    parts = [f'"""{docstrings[0]}"""\n']
    parts += [f'def f{i}():\n    """{text}"""\n' for i, text in enumerate(docstrings[1:])]
    return "".join(parts)


def test_this_python_carries_enough_to_train_on(own: list[Article]) -> None:
    words = sum(len(article.text.split()) for article in own)
    windows = sum(max(0, len(chunk_text(article.text)) - 5) for article in own)

    assert len(own) >= 150
    assert words >= 200_000
    assert windows >= 2_500


def test_topics_come_first_then_modules_by_name(own: list[Article]) -> None:
    names = [article.name for article in own]
    topics = [name for name in names if name.startswith("help(")]
    modules = names[len(topics) :]

    assert "help('compound')" in topics
    assert topics == sorted(topics)
    assert modules == sorted(modules, key=lambda name: name.split("."))
    assert {"argparse", "logging", "logging.handlers", "threading"} <= set(modules)


def test_tests_and_installed_packages_are_not_part_of_it(own: list[Article]) -> None:
    parts = {part for article in own for part in article.name.split(".")}

    assert not parts & {"test", "tests", "lib2to3", "site-packages", "pytest", "numpy"}


def test_chunks_are_prose(own: list[Article]) -> None:
    chunks = [chunk for article in own for chunk in chunk_text(article.text)]
    with_code = [c for c in chunks if ">>>" in c or "::=" in c or "=====" in c or ":func:`" in c]

    assert len(with_code) < 0.02 * len(chunks)


def test_no_long_paragraph_is_in_two_topics_more_than_by_a_third(own: list[Article]) -> None:
    topics = [article for article in own if article.name.startswith("help(")]
    spoken: dict[str, int] = {}
    for article in topics:
        for part in set(article.text.split("\n\n")):
            spoken[part] = spoken.get(part, 0) + 1
    repeated = sum(len(p.split()) * (n - 1) for p, n in spoken.items() if len(p.split()) >= 8)

    assert repeated < sum(len(article.text.split()) for article in topics) / 10


def test_nothing_is_imported() -> None:
    code = (
        "import sys; from lvm.data.pydocs import python_articles; python_articles(60_000); "
        "print(*sorted({'tkinter', 'turtle', 'antigravity', 'pydoc_data.topics', 'numpy'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"


def test_the_limit_stops_before_the_article_that_would_pass_it(own: list[Article]) -> None:
    first, second = (len(article.text.split()) for article in own[:2])

    assert python_articles(first + second) == own[:2]
    assert python_articles(first + second - 1) == own[:1]


def test_a_limit_below_the_first_article_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        python_articles(10)

    assert caught.value.what == "limit_words = 10 is too low"


def test_docstrings_stand_in_source_order(tmp_path: Path) -> None:
    source = f'''"""Module. {LONG}"""
class A:
    """Class A."""
    def a(self):
        """Method a."""
        def inner():
            """Inner."""
    async def b(self):
        """Method b."""
def last():
    """Last."""
'''
    (article,) = python_articles(standard_library=library(tmp_path, {"one.py": source}))

    assert article.name == "one"
    assert article.text.split("\n\n")[1:] == [
        "Class A.",
        "Method a.",
        "Inner.",
        "Method b.",
        "Last.",
    ]


def test_a_docstring_that_was_said_before_is_not_said_again(tmp_path: Path) -> None:
    home = library(
        tmp_path,
        {"a.py": module(LONG, "Said twice."), "b.py": module("B. " + LONG, "Said twice.", "New.")},
    )

    first, second = python_articles(standard_library=home)

    assert "Said twice." in first.text
    assert "Said twice." not in second.text
    assert "New." in second.text


def test_short_modules_and_owners_modules_are_left_out(tmp_path: Path) -> None:
    home = library(
        tmp_path,
        {
            "long.py": module(LONG),
            "short.py": module("Too short for a window."),
            "sitecustomize.py": module("Site. " + LONG),
            "test/test_long.py": module("Test. " + LONG),
            "no_package/module.py": module("No package. " + LONG),
            "package/__init__.py": module("Package. " + LONG),
            "package/part.py": module("Part. " + LONG),
        },
    )

    names = [article.name for article in python_articles(standard_library=home)]

    assert names == ["long", "package", "package.part"]


def test_a_source_that_this_python_cannot_parse_is_passed_over(tmp_path: Path) -> None:
    home = library(tmp_path, {"a.py": module(LONG), "future.py": "match = lambda: yield from\n"})

    assert [article.name for article in python_articles(standard_library=home)] == ["a"]


@pytest.mark.parametrize("annotation", ["", ": dict[str, str]"])
def test_topics_are_read_however_their_file_is_laid_out(tmp_path: Path, annotation: str) -> None:
    text = f"The title\\n*********\\n\\n{LONG}\\n"
    source = f"# generated\ntopics{annotation} = {{'beta': r'''b''', 'alpha': '{text}'}}\n"

    (article,) = python_articles(
        standard_library=library(tmp_path, {"pydoc_data/topics.py": source})
    )

    assert article.name == "help('alpha')"
    assert article.text.startswith("The title\n\nThis sentence")


def test_a_topic_that_stands_in_a_longer_one_is_left_out(tmp_path: Path) -> None:
    other = LONG.replace("five", "just five")
    topics = {"with": LONG, "compound": f"{LONG}\n\n{other}", "zen": other.replace("just", "all")}
    home = library(tmp_path, {"pydoc_data/topics.py": f"topics = {topics!r}\n"})

    names = [article.name for article in python_articles(standard_library=home)]

    assert names == ["help('compound')", "help('zen')"]


def test_a_standard_library_in_a_zip_is_read_there(tmp_path: Path) -> None:
    archive = tmp_path / "python.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("package/__init__.py", module("Package. " + LONG))
        file.writestr("package/part.py", module("Part. " + LONG))
        file.writestr("pydoc_data/topics.py", f"topics = {{'a': {LONG!r}}}")

    names = [article.name for article in python_articles(standard_library=archive)]

    assert names == ["help('a')", "package", "package.part"]


def test_a_python_without_sources_is_refused_with_a_way_out(tmp_path: Path) -> None:
    home = library(tmp_path, {"os.pyc": "compiled"})

    with pytest.raises(DataError) as caught:
        python_articles(standard_library=home)

    assert caught.value.what.startswith("this Python was installed without the sources")
    assert "lvm encode FOLDER" in caught.value.fix
