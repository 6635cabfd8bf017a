"""Real text that every Python carries: its language reference and its modules' docstrings.

Nothing is imported and nothing downloaded: the sources of the standard library are parsed. The
same Python version gives the same articles in the same order everywhere.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from inspect import cleandoc
from pathlib import Path

from lvm.data.markup import docstring_prose
from lvm.data.text import Article
from lvm.errors import DataError

FEWEST_WORDS = 400
"""About the least that gives five contexts and a target; smaller articles are left out."""
REPEATED_SHARE = 1 / 3
"""A topic of which more than this share stands in a longer one is left out."""
_LONG_PARAGRAPH = 8
"""Words from which on an equal paragraph is a repetition, and no chance."""

_SKIPPED_FOLDERS = {
    *("test", "tests", "idle_test", "lib2to3", "site-packages", "dist-packages", "pydoc_data"),
    *("__pycache__", "_bundled", "lib-dynload", "__phello__"),
}
_SKIPPED_MODULES = {"sitecustomize", "usercustomize"}
"""Not part of Python: the machine's owner writes these."""


def python_articles(
    limit_words: int | None = None, *, standard_library: Path | None = None
) -> list[Article]:
    """First the topics of `help()`, each an article, then the modules, each an article.

    Topics stand in alphabetical order, modules in the order of their dotted names; a module's
    text is its docstrings in source order. Code and markup are taken out (`docstring_prose`).
    Left out are tests, what repeats a longer topic or an earlier docstring (so that no text gets
    into two splits), and articles of fewer than `FEWEST_WORDS` words.

    limit_words: stop before the article that would pass so many words; None = everything
        (Python 3.11: 220 articles, 250,000 words, in 4 s).
    standard_library: its folder, or a .zip of it; None = that of the running Python.

    Raises DataError where Python was installed without its sources, and where the limit is too
    low for a single article.
    """
    home = standard_library or _own_standard_library()
    articles: list[Article] = []
    words = 0
    for article in _articles(_opened(home)):
        words += len(article.text.split())
        if limit_words is not None and words > limit_words:
            if articles:
                break
            raise DataError(
                f"limit_words = {limit_words} is too low",
                where=str(home),
                fix=f"the first article of Python's documentation has {words} words",
            )
        articles.append(article)
    if not articles:
        raise DataError(
            "this Python was installed without the sources of its standard library",
            where=str(home),
            fix="use a complete Python, or encode files of your own: lvm encode FOLDER",
        )
    return articles


def _own_standard_library() -> Path:
    """The folder of the running Python; where that holds no sources, a zip on sys.path."""
    folder = Path(sysconfig.get_path("stdlib"))
    if (folder / "os.py").exists():
        return folder
    archives = (Path(entry) for entry in sys.path if entry.endswith(".zip"))
    return next((archive for archive in archives if archive.is_file()), folder)


def _opened(home: Path) -> Traversable:
    return zipfile.Path(home) if zipfile.is_zipfile(home) else home


def _articles(library: Traversable) -> Iterator[Article]:
    yield from _topics(library)
    seen: set[str] = set()
    for name, source in _modules(library, ""):
        docstrings = [text for text in _docstrings(source) if text not in seen]
        seen.update(docstrings)
        text = "\n\n".join(docstring_prose(docstring) for docstring in docstrings)
        if len(text.split()) >= FEWEST_WORDS:
            yield Article(name, text)


# -- the topics of help() -----------------------------------------------------------------------


def _topics(library: Traversable) -> list[Article]:
    source = library / "pydoc_data" / "topics.py"
    if not source.is_file():
        return []
    articles = [
        Article(f"help({name!r})", docstring_prose(text))
        for name, text in sorted(_literal(source.read_bytes(), "topics").items())
    ]
    return _without_repetitions([a for a in articles if len(a.text.split()) >= FEWEST_WORDS])


def _literal(source: bytes, variable: str) -> dict[str, str]:
    """The dict of strings that a module assigns to `variable`, read without running it."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if variable in names and statement.value is not None:
                value = ast.literal_eval(statement.value)
                return {str(key): str(text) for key, text in value.items()}
    return {}


def _without_repetitions(articles: list[Article]) -> list[Article]:
    """Long topics quote shorter ones whole ("compound" has "with"): keep the long."""
    kept: set[str] = set()
    spoken: set[str] = set()
    for article in sorted(articles, key=lambda article: -len(article.text)):
        paragraphs = article.text.split("\n\n")
        repeated = sum(len(part.split()) for part in paragraphs if part in spoken)
        if repeated <= REPEATED_SHARE * len(article.text.split()):
            kept.add(article.name)
            spoken.update(part for part in paragraphs if len(part.split()) >= _LONG_PARAGRAPH)
    return [article for article in articles if article.name in kept]


# -- the modules' docstrings --------------------------------------------------------------------


def _modules(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    """(dotted name, source) of all modules below, a package before its modules."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name.removesuffix(".py")):
        name = entry.name.removesuffix(".py")
        if entry.is_dir():
            if entry.name not in _SKIPPED_FOLDERS and (entry / "__init__.py").is_file():
                yield f"{prefix}{name}", (entry / "__init__.py").read_bytes()
                yield from _modules(entry, f"{prefix}{name}.")
        elif entry.name.endswith(".py") and name not in {"__init__", *_SKIPPED_MODULES}:
            yield f"{prefix}{name}", entry.read_bytes()


def _docstrings(source: bytes) -> Iterator[str]:
    """All docstrings in source order; none of a source that this Python cannot parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                yield cleandoc(docstring)
        pending.extend(reversed(list(ast.iter_child_nodes(node))))
