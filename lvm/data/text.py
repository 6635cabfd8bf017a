"""Text files → articles → chunks of about sixty words (spec/data.md, "From text")."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lvm.data.markup import html_prose, markdown_prose, rst_prose
from lvm.errors import DataError

WORDS_PER_CHUNK = 60
"""About what a sentence encoder reads well, and what the models' time step means."""


@dataclass(frozen=True)
class Article:
    """One text in reading order. Windows never cross from one article into another."""

    name: str
    """A title, or the file's path within the folder that was given."""
    text: str
    """Prose; blank lines divide paragraphs."""


# -- reading ------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    return text


_PROSE_OF: dict[str, Callable[[str], str]] = {
    ".txt": _plain,
    ".text": _plain,
    ".md": markdown_prose,
    ".markdown": markdown_prose,
    ".rst": rst_prose,
    ".html": html_prose,
    ".htm": html_prose,
}
_JSON_LINES = ".jsonl"
FORMATS = (*_PROSE_OF, _JSON_LINES)
"""File name endings that can be read, in lower case."""


def read_articles(sources: Iterable[str | Path]) -> list[Article]:
    """The articles of files and folders, in the order given; a folder's files sorted by path.

    txt, md, rst and html: one article a file. jsonl: one a line, {"title": …, "text": …}, the
    title optional. A folder is searched to the bottom; hidden files and other formats in it are
    passed over. Articles without a word are left out.

    Raises DataError for a source that is missing or of another format, a folder without a text,
    a file that is not UTF-8 (or UTF-16 with its mark), a line that is not such an object, and
    when there is no word in all of it.
    """
    paths = [Path(source) for source in sources]
    articles = [article for path in paths for article in _articles_of(path)]
    articles = [article for article in articles if article.text.split()]
    if not articles:
        raise DataError(
            "no text",
            where=", ".join(map(str, paths)),
            fix="give at least one file or folder with readable text: " + " ".join(FORMATS),
        )
    return articles


def _articles_of(source: Path) -> Iterator[Article]:
    if source.is_dir():
        files = sorted(_visible_texts(source), key=lambda path: path.relative_to(source).parts)
        if not files:
            raise DataError(
                "no text file in this folder",
                where=str(source),
                fix="lvm encode reads " + " ".join(FORMATS),
            )
        for path in files:
            yield from _read(path, path.relative_to(source).as_posix())
    elif not source.exists():
        raise DataError("no such file or folder", where=str(source))
    elif source.suffix.lower() in FORMATS:
        yield from _read(source, source.name)
    else:
        raise DataError(
            f"cannot read files of type {source.suffix or source.name!r}",
            where=str(source),
            fix="convert it to one of " + " ".join(FORMATS),
        )


def _visible_texts(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not is_hidden and path.suffix.lower() in FORMATS and path.is_file():
            yield path


def _read(path: Path, name: str) -> Iterator[Article]:
    text = _decode(path)
    if path.suffix.lower() == _JSON_LINES:
        yield from _json_articles(text, path, name)
    else:
        yield Article(name, _PROSE_OF[path.suffix.lower()](text))


def _decode(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror}", where=str(path)) from error
    marked_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if marked_utf16 else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8: byte 0x{content[error.start]:02x} at position {error.start}",
            where=str(path),
            fix="convert it, for example: iconv -f LATIN1 -t UTF-8 FILE > NEW",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _json_articles(text: str, path: Path, name: str) -> Iterator[Article]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            entry = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(
                f"not a JSON object: {error}", where=where, fix="one JSON object a line"
            ) from error
        found = type(entry).__name__
        if isinstance(entry, dict):
            body, title = entry.get("text"), entry.get("title")
            if isinstance(body, str) and isinstance(title, str | None):
                yield Article(_encodable(title or f"{name}:{number}"), _encodable(body))
                continue
            found = "keys " + ", ".join(f"{key!r} ({type(entry[key]).__name__})" for key in entry)
        raise DataError(
            f"no text; found {found}",
            where=where,
            fix='each line must be {"title": "…", "text": "…"}, the title optional',
        )


def _encodable(text: str) -> str:
    """JSON can spell half a surrogate pair, UTF-8 cannot."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


# -- chunking -----------------------------------------------------------------------------------

_EAST_ASIAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_EAST_ASIAN}]|[^\s{_EAST_ASIAN}]+")
"""What counts as one word; Chinese and Japanese, written without spaces, by the character."""
_SENTENCE_END = re.compile(
    r"""[.!?…]+["'”’)\]]*(?=\s+["'“‘(\[]*[A-Z0-9À-ÞΑ-ЯЁ_])|[。！？]+[」』）]*"""
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[“\"'])(?:[A-Za-z]|e\.g|i\.e|cf|vs|etc|al|ca|approx|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr"
    r"|Inc|Ltd|Co|Fig|figs?|No|nos?|Vol|pp|ed|eds|Sec|sect|ch|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?"
    r"|Oct|Nov|Dec|U\.S|U\.K|a\.m|p\.m)\.$"
)
"""Ends with a full stop that is no end of a sentence."""
_CLAUSE_END = re.compile(r"[,;:]$|[—–]$")

_LONGEST_SENTENCE = 1.5
"""In chunks: longer than this, a sentence is cut, at a comma if there is one."""
_SHORTEST_TAIL = 0.25
"""In chunks: a last chunk shorter than this joins the one before."""


def chunk_text(text: str, words: int = WORDS_PER_CHUNK) -> list[str]:
    """Whole sentences gathered into chunks of about `words` words, in reading order.

    Each chunk ends where it comes nearest to `words`, so usual prose gives two thirds to four
    thirds of it. A blank line ends a sentence; only a sentence of more than 1.5 chunks is cut.
    Every word of the text is in exactly one chunk; a text without words gives none.
    """
    if words < 1:
        raise ValueError(f"words = {words}: must be at least 1")
    chunks: list[list[str]] = []
    count = 0
    for sentence in _sentences(text, words):
        length = _count(sentence)
        if not chunks or abs(count - words) <= abs(count + length - words):
            chunks.append([])
            count = 0
        chunks[-1].append(sentence)
        count += length
    if len(chunks) > 1 and count < _SHORTEST_TAIL * words:
        tail = chunks.pop()
        chunks[-1] += tail
    return [" ".join(sentences) for sentences in chunks]


def _sentences(text: str, words: int) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        flat = " ".join(paragraph.split())
        start = 0
        for end in _SENTENCE_END.finditer(flat):
            if not _ABBREVIATION.search(flat[max(start, end.start() - 8) : end.start() + 1]):
                yield from _cut(flat[start : end.end()].strip(), words)
                start = end.end()
        if flat[start:].strip():
            yield from _cut(flat[start:].strip(), words)


def _cut(sentence: str, words: int) -> Iterator[str]:
    """The sentence, or where it is too long its pieces of at most `words` words."""
    spans = [match.span() for match in _WORD.finditer(sentence)]
    while len(spans) > _LONGEST_SENTENCE * words:
        cut = words
        for candidate in range(words, words // 2, -1):
            if _CLAUSE_END.search(sentence[: spans[candidate - 1][1]]):
                cut = candidate
                break
        yield sentence[spans[0][0] : spans[cut - 1][1]]
        spans = spans[cut:]
    if spans:
        yield sentence[spans[0][0] : spans[-1][1]]


def _count(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))
