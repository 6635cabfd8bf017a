"""Files become articles of prose; articles become chunks of about sixty words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lvm.data.markup import docstring_prose, html_prose, markdown_prose, rst_prose
from lvm.data.text import Article, chunk_text, read_articles
from lvm.errors import DataError


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


# -- reading --------------------------------------------------------------------------------


def test_a_folder_is_read_to_the_bottom_in_sorted_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "b.txt": "Second.",
            "a/z.md": "# First\n",
            "c/deep/er.rst": "Third.",
            "c/page.html": "<p>Fourth.</p>",
        },
    )

    articles = read_articles([tmp_path])

    assert articles == [
        Article("a/z.md", "First"),
        Article("b.txt", "Second."),
        Article("c/deep/er.rst", "Third."),
        Article("c/page.html", "Fourth."),
    ]


def test_sources_keep_the_order_they_were_given_in(tmp_path: Path) -> None:
    write(tmp_path, {"x.txt": "X.", "folder/y.txt": "Y.", "a.txt": "A."})

    articles = read_articles([tmp_path / "x.txt", tmp_path / "folder", str(tmp_path / "a.txt")])

    assert [article.name for article in articles] == ["x.txt", "y.txt", "a.txt"]


def test_hidden_files_and_other_formats_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.txt": "A.", ".secret.txt": "No.", ".git/b.txt": "No.", "photo.png": b"\x89PNG"},
    )

    assert [article.name for article in read_articles([tmp_path])] == ["a.txt"]


def test_each_line_of_jsonl_is_an_article_and_its_title_optional(tmp_path: Path) -> None:
    lines = [{"title": "Moon", "text": "It orbits."}, {"text": "No title.", "id": 7}]
    path = tmp_path / "wiki.jsonl"
    path.write_text("\n\n".join(json.dumps(line) for line in lines) + "\n")

    assert read_articles([path]) == [
        Article("Moon", "It orbits."),
        Article("wiki.jsonl:3", "No title."),
    ]


def test_half_a_surrogate_pair_in_jsonl_can_still_be_written_as_utf8(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"title": "a\\ud83d", "text": "smile \\ud83d\\ude00 half \\ud83d end"}')

    (article,) = read_articles([path])

    assert article.text.encode().decode() == "smile 😀 half � end"
    assert article.name == "a�"


def test_articles_without_a_word_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": " \n\n", "b.txt": "Words."})

    assert [article.name for article in read_articles([tmp_path])] == ["b.txt"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marked_encodings_are_understood(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("Grüße, Ζεύς.\r\nZwei.".encode(encoding))

    (article,) = read_articles([tmp_path])

    assert article.text == "Grüße, Ζεύς.\nZwei."


def test_text_in_another_encoding_is_refused_with_the_place_and_the_cure(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes("Grüße".encode("latin-1"))

    with pytest.raises(DataError) as caught:
        read_articles([tmp_path])

    assert caught.value.what == "not UTF-8: byte 0xfc at position 2"
    assert caught.value.where == str(tmp_path / "old.txt")
    assert "iconv" in caught.value.fix


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{not json", "not a JSON object"),
        ('{"body": "x"}', "no text; found keys 'body' (str)"),
        ('{"text": 5}', "no text; found keys 'text' (int)"),
        ('{"title": 5, "text": "x"}', "no text; found keys 'title' (int), 'text' (str)"),
        ('["text"]', "no text; found list"),
    ],
)
def test_a_bad_line_of_jsonl_is_named(tmp_path: Path, line: str, what: str) -> None:
    path = tmp_path / "wiki.jsonl"
    path.write_text('{"text": "good"}\n' + line + "\n")

    with pytest.raises(DataError) as caught:
        read_articles([path])

    assert caught.value.what.startswith(what)
    assert caught.value.where == f"{path}:2"


def test_a_missing_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        read_articles([tmp_path / "gone.txt"])


def test_a_file_of_another_format_is_refused_and_the_formats_are_listed(tmp_path: Path) -> None:
    write(tmp_path, {"paper.pdf": b"%PDF"})

    with pytest.raises(DataError) as caught:
        read_articles([tmp_path / "paper.pdf"])

    assert caught.value.what == "cannot read files of type '.pdf'"
    assert ".jsonl" in caught.value.fix


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"photo.png": b"\x89PNG"})

    with pytest.raises(DataError, match="no text file in this folder"):
        read_articles([tmp_path])


def test_sources_without_one_word_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "\n", "b.md": "```\ncode = 1\n```\n"})

    with pytest.raises(DataError, match="no text"):
        read_articles([tmp_path])


# -- markup ---------------------------------------------------------------------------------


def test_markdown_becomes_prose() -> None:
    text = """---
title: front matter
---
# A *title*

Some **bold**, a [link](http://x.y/z), `code` and ![a picture](p.png).
Second line.

- one
- two

```python
x = 1
```

    indented code

| head | other |
| ---- | ----- |
| cell | more  |

<div>raw <b>html</b></div>
"""
    assert markdown_prose(text).split("\n\n") == [
        "A title",
        "Some bold, a link, code and . Second line.",
        "one",
        "two",
        "head",
        "other",
        "cell",
        "more",
        "raw html",
    ]


def test_html_becomes_prose() -> None:
    text = """<html><head><title>No</title><style>p {}</style></head><body>
<h1>Title</h1><p>One &amp; two<br>three <em>four</em></p><script>alert("<p>no</p>")</script>
<pre>code()</pre><ul><li>five<li>six</ul><!-- comment --><img src=x alt=no>seven</body>"""

    assert html_prose(text).split("\n\n") == [
        "Title",
        "One & two",
        "three four",
        "five",
        "six",
        "seven",
    ]


def test_restructured_text_becomes_prose() -> None:
    text = """.. _a-target:

=====
Title
=====

See :func:`os.path.join`, :ref:`the docs <doc-ref>`, ``literal`` and `a link <http://x>`_ [1]_.

.. note::
   Mind the **gap**.

.. code-block:: python
   :linenos:

   x = 1

.. versionadded:: 3.2
   The *key* argument.

.. a comment
   that goes on

Like so::

   y = 2

After that.

>>> 1 + 1
2

* first item
* second item

:param int count: how many

.. function:: run(x)

   Runs it.
"""
    assert rst_prose(text).split("\n\n") == [
        "Title",
        "See os.path.join, the docs, literal and a link.",
        "Mind the gap.",
        "Added in version 3.2: The key argument.",
        "Like so:",
        "After that.",
        "first item",
        "second item",
        "count: how many",
        "run(x)",
        "Runs it.",
    ]


def test_a_docstring_loses_its_indented_code_and_keeps_its_indented_prose() -> None:
    text = """Open a thing.

    with open(path, "rb") as f:
        data = f.read(1 << 20)

Note:

    The file is closed when the block is left, even if an error was raised.
"""
    assert docstring_prose(text).split("\n\n") == [
        "Open a thing.",
        "Note:",
        "The file is closed when the block is left, even if an error was raised.",
    ]


def test_underscores_stars_and_less_than_signs_in_prose_survive() -> None:
    text = "Use a_b and __init__ with 2 * 3 * 4, *args and **kwargs; a < b."

    assert rst_prose(text) == text


# -- chunks ---------------------------------------------------------------------------------


def sentence(words: int, first: str = "Word") -> str:
    return " ".join([first, *["word"] * (words - 2), "end."])


def test_whole_sentences_are_gathered_to_about_sixty_words() -> None:
    text = " ".join(sentence(20) for _ in range(9))

    assert [len(chunk.split()) for chunk in chunk_text(text)] == [60, 60, 60]


def test_a_chunk_ends_where_it_comes_nearest_to_the_wanted_length() -> None:
    text = " ".join([sentence(50), sentence(18), sentence(50), sentence(22)])

    assert [len(chunk.split()) for chunk in chunk_text(text)] == [68, 50, 22]


def test_a_short_rest_joins_the_chunk_before() -> None:
    text = " ".join([sentence(60), sentence(14)])

    assert [len(chunk.split()) for chunk in chunk_text(text)] == [74]


def test_every_word_is_in_exactly_one_chunk() -> None:
    ends = {0: ".", 1: "\n\n", 2: "!"}
    text = " ".join(f"Word{number}{ends.get(number % 17, '')}" for number in range(999))

    assert " ".join(chunk_text(text)).split() == text.split()


def test_abbreviations_and_numbers_do_not_end_a_sentence() -> None:
    text = 'Dr. A. Smith paid 3.50 dollars, e.g. The Times, etc. He left. Then "It rained." Over.'

    assert chunk_text(text, words=9) == [
        "Dr. A. Smith paid 3.50 dollars, e.g. The Times, etc. He left.",
        'Then "It rained." Over.',
    ]


def test_a_blank_line_ends_a_sentence() -> None:
    text = "A heading\n\nThe text below it has nine words in all."

    assert chunk_text(text, words=3)[0] == "A heading"


def test_an_endless_sentence_is_cut_at_commas() -> None:
    clause = " ".join(["word"] * 24) + ","
    text = " ".join([clause] * 10)

    lengths = [len(chunk.split()) for chunk in chunk_text(text)]

    assert lengths == [48, 48, 48, 48, 48]


def test_an_endless_sentence_without_commas_is_cut_anyway() -> None:
    lengths = [len(chunk.split()) for chunk in chunk_text(" ".join(["word"] * 300))]

    assert lengths == [60, 60, 60, 60, 60]


def test_text_without_spaces_is_counted_by_the_character() -> None:
    text = "これは日本語の文章です。" * 30

    lengths = [len(chunk.replace(" ", "")) for chunk in chunk_text(text)]

    assert sum(lengths) == len(text)
    assert all(50 <= length <= 75 for length in lengths)


@pytest.mark.parametrize("text", ["", "  \n\n \t"])
def test_no_words_give_no_chunks(text: str) -> None:
    assert chunk_text(text) == []


def test_a_chunk_length_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="words = 0"):
        chunk_text("A.", words=0)
