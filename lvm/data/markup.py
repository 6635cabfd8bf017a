"""Markup → prose: paragraphs divided by blank lines, without code, tables' rules, links, tags.

What a sentence encoder should see is sentences. So code blocks, doctests, comments, scripts and
images are left out; headings, list items and table cells become paragraphs of their own; of
inline markup the words stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from markdown_it import MarkdownIt

# -- HTML ---------------------------------------------------------------------------------------

_SILENT_TAGS = {"head", "script", "style", "noscript", "template", "svg", "pre", "textarea"}
"""Elements whose content is not prose."""
_INLINE_TAGS = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "ins"),
    *("kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub"),
    *("sup", "time", "tt", "u", "var", "wbr", "img"),
}
"""Elements that do not end a paragraph; all others do."""


class _Prose(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT_TAGS:
            self._silent.append(tag)
        if tag not in _INLINE_TAGS:
            self.pieces.append("\n\n")

    def handle_startendtag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE_TAGS:
            self.pieces.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        if tag not in _INLINE_TAGS:
            self.pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(re.sub(r"\s+", " ", data))


def html_prose(text: str) -> str:
    """The readable text of an HTML page or fragment."""
    parser = _Prose()
    parser.feed(text)
    parser.close()
    return _tidy("".join(parser.pieces))


# -- Markdown -----------------------------------------------------------------------------------

_FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)


def markdown_prose(text: str) -> str:
    """The readable text of a Markdown file (CommonMark and tables)."""
    paragraphs: list[str] = []
    for token in MarkdownIt("commonmark").enable("table").parse(_FRONT_MATTER.sub("", text)):
        if token.type == "html_block":
            paragraphs.append(html_prose(token.content))
        elif token.type == "inline":
            words = []
            for child in token.children or ():
                if child.type in ("text", "code_inline"):
                    words.append(child.content)
                elif child.type in ("softbreak", "hardbreak"):
                    words.append("\n")
            paragraphs.append("".join(words))
    return _tidy("\n\n".join(paragraphs))


# -- reStructuredText ---------------------------------------------------------------------------

_RULE = re.compile(r"""^\s*([-=~^"'`*+#:.<>_!$%&|])\1{2,}\s*$|^\s*[-=+|][-=+| ]{3,}$""")
"""A title's underline, a transition, or the border of a table."""
_DIRECTIVE = re.compile(r"^\.\. (?:\|[^|]+\| )?(?P<name>[\w:.+-]+?):: ?(?P<argument>.*)$")
_EXPLICIT = re.compile(r"^(?:\.\.|__)(?: |$)")
"""A comment, a link target, a footnote: everything explicit that is no directive."""
_OPTION = re.compile(r"^:[\w-]+:")
_ITEM = re.compile(r"^(\s*)(?:[-*+•]|\(?(?:\d+|[a-zA-Z#])[.)])\s+(?=\S)")
"""A bullet or an enumerator."""
_FIELD = re.compile(r"^(\s*):(?:\w+ )*?(\w+):(?=\s|$)")
"""":param int x:" and the like; the last word of it is kept."""

_SILENT_DIRECTIVES = {
    *("code", "code-block", "sourcecode", "highlight", "literalinclude", "parsed-literal"),
    *("testcode", "testoutput", "testsetup", "testcleanup", "doctest", "productionlist"),
    *("math", "raw", "include", "image", "figure", "graphviz", "toctree", "index", "meta"),
    *("contents", "sectionauthor", "moduleauthor", "currentmodule", "module", "default-role"),
    *("role", "only", "replace", "unicode", "date", "autofunction", "autoclass", "automodule"),
}
"""Directives whose argument and content are no prose."""
_SPOKEN_ARGUMENTS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
}

_INLINE_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r":[\w:+-]+:`[~!]?([^`<]+?)\s*(?:<[^`>]*>)?`", r"\1"),  # :role:`text <target>`
        (r"``([^`]+)``", r"\1"),
        (r"`([^`<]+?)\s*<[^`>]+>`_{0,2}", r"\1"),  # `text <link>`_
        (r"`([^`']+)[`']_{0,2}", r"\1"),  # `text`_ and the old `quotes'
        (r"\*\*(\S(?:[^*]*\S)?)\*\*", r"\1"),
        (r"(?<![\w*])\*(\w(?:[^*\s]|\s(?=[^*\s]))*)\*(?![\w*])", r"\1"),
        (r"\s?\[(?:\d+|#\w*|\*)\]_", ""),  # a footnote's mark
        (r"\|(\w[^|]*\w)\|_?", r"\1"),
        (r"\\([*_`|\\])", r"\1"),
    )
)


def rst_prose(text: str) -> str:
    """The readable text of reStructuredText, or of a docstring written like it."""
    kept: list[str] = []
    lines = text.expandtabs().splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        stripped = line.strip()
        if stripped.startswith(">>>"):
            number = _after_paragraph(lines, number)
        elif _EXPLICIT.match(stripped):
            number = _explicit_markup(lines, number, kept)
        elif _RULE.match(line):
            kept.append("")
            number += 1
        else:
            number += 1
            if stripped.endswith("::"):
                line = line.rstrip()[:-1] if stripped != "::" else ""
                number = _after_block(lines, number, _indent(line))
            kept.append(line)
            if not lines[number - 1].strip():
                kept.append("")
    return _tidy("\n".join(_inline(_unlisted(kept))))


def docstring_prose(text: str) -> str:
    """Like `rst_prose`, for docstrings, whose code is often only indented: that is left out too.

    A paragraph counts as code when it is indented deeper than the text's left margin and most of
    its words are no plain words.
    """
    paragraphs = re.split(r"\n\s*\n", text.expandtabs())
    margin = min((_indent(part) for part in paragraphs if part.strip()), default=0)
    kept = [part for part in paragraphs if _indent(part) <= margin or not _looks_like_code(part)]
    return rst_prose("\n\n".join(kept))


_PLAIN_WORD = re.compile(r"""^[("'“‘*`]*[A-Za-z][A-Za-z’'-]*[)"'”’*`]*[.,;:!?]?[)"'”’]*$""")
_PLAIN_SHARE = 0.7
"""Of running English about 0.9 are plain words, of code about 0.3."""


def _looks_like_code(paragraph: str) -> bool:
    words = paragraph.split()
    plain = sum(1 for word in words if _PLAIN_WORD.match(word))
    return plain < _PLAIN_SHARE * len(words)


def _explicit_markup(lines: list[str], number: int, kept: list[str]) -> int:
    """Keep what is prose of the explicit markup that begins at `number`; the line after it."""
    indent = _indent(lines[number])
    after = _after_block(lines, number + 1, indent)
    directive = _DIRECTIVE.match(lines[number].strip())
    kept.append("")
    if directive is None:
        return after
    name, argument = directive["name"].rsplit(":", 1)[-1], directive["argument"]
    if directive["name"] in _SILENT_DIRECTIVES:
        return after
    if name in _SPOKEN_ARGUMENTS:
        argument = f"{_SPOKEN_ARGUMENTS[name]} {argument}:"
    kept.append(argument)
    number += 1
    while number < after and _OPTION.match(lines[number].strip()):
        number += 1
    return number


def _unlisted(lines: list[str]) -> Iterator[str]:
    """Every list item and field a paragraph of its own, without its mark."""
    for line in lines:
        item = _ITEM.match(line)
        field = None if item else _FIELD.match(line)
        if item:
            yield ""
            yield item[1] + line[item.end() :]
        elif field:
            yield ""
            yield f"{field[1]}{field[2]}: {line[field.end() :].strip()}"
        else:
            yield line


def _inline(lines: Iterator[str]) -> Iterator[str]:
    """The lines without inline markup, which may run over a line's end."""
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
        for pattern, replacement in _INLINE_RULES:
            paragraph = pattern.sub(replacement, paragraph)
        yield paragraph
        yield ""


def _indent(line: str) -> int:
    first = line.lstrip("\n")
    return len(first) - len(first.lstrip(" "))


def _after_paragraph(lines: list[str], number: int) -> int:
    while number < len(lines) and lines[number].strip():
        number += 1
    return number


def _after_block(lines: list[str], number: int, indent: int) -> int:
    """The first line from `number` on that is neither blank nor indented deeper than `indent`."""
    while number < len(lines) and (not lines[number].strip() or _indent(lines[number]) > indent):
        number += 1
    return number


def _tidy(text: str) -> str:
    """Paragraphs on one line each, one blank line between them."""
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return "\n\n".join(part for part in paragraphs if part)
