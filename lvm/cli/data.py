"""`lvm init`, `encode`, `reference`, `diagnose`: everything before training."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from lvm.cli.output import Output
from lvm.config import CONFIG_NAME, find_data, left_out, load_config, render_template
from lvm.errors import InputError
from lvm.files import make_place_for, write_text
from lvm.settings import DATA_FILES, SPLIT_SEED


def init(arguments: Namespace, output: Output) -> int:
    root = Path(arguments.root)
    path = root / CONFIG_NAME
    if path.exists() and not arguments.force:
        raise InputError(
            "is there already", where=str(path), fix="edit it, or replace with --force"
        )
    make_place_for(path)
    found = find_data(root)
    write_text(path, render_template(found))
    others = left_out(root, found)
    document = {"written": str(path), "data": found.to_json(), "others": others}
    if output.as_json:
        output.document(document)
    else:
        output.line(f"wrote {path}")
        files = {name: getattr(found, name) for name in DATA_FILES}
        output.lines(f"  {name} = {value}" for name, value in files.items() if value)
        if not found.complete:
            output.line(
                f"{'not all' if any(files.values()) else 'no'} data files found: fill in [data]"
            )
        if others:
            output.line(f"also here, and not taken: {', '.join(others)}")
            output.line("  the latest file of a kind is taken; name another in [data]")
    return 0


def encode(arguments: Namespace, output: Output) -> int:
    from lvm.data.encode import encode_to_bank
    from lvm.data.text import read_articles

    articles = read_articles([Path(source) for source in arguments.source])
    make_place_for(Path(arguments.out))
    written = encode_to_bank(
        articles,
        arguments.encoder,
        Path(arguments.out),
        dim=arguments.dim,
        seed=arguments.seed,
        progress=output.progress,
    )
    return _describe_bank(written, output)


def reference(arguments: Namespace, output: Output) -> int:
    from lvm.data.reference import ENOUGH_ARTICLES, write_reference

    make_place_for(Path(arguments.out))
    written = write_reference(
        arguments.kind,
        Path(arguments.out),
        dim=arguments.dim,
        articles=arguments.articles,
        seed=arguments.seed,
        strength=arguments.strength,
        blurred=arguments.blurred,
    )
    if arguments.articles < ENOUGH_ARTICLES:
        output.message(
            f"{arguments.articles} articles are enough to try commands on, but no model learns "
            f"from so few: what a {arguments.kind} corpus shows takes {ENOUGH_ARTICLES} or more",
            "warn",
        )
    return _describe_bank(written, output)


def _describe_bank(path: Path, output: Output) -> int:
    from lvm.data.bank import open_bank

    bank = open_bank(path, output.progress)
    document: dict[str, Any] = {
        "bank": str(path),
        "vectors": len(bank),
        "articles": len(bank.articles),
        "dim": bank.dim,
        "texts": bank.has_texts,
    }
    if output.as_json:
        output.document(document)
    else:
        output.line(
            f"{path}: {len(bank)} vectors of {bank.dim} in {document['articles']} articles"
            + (", with texts" if bank.has_texts else "")
        )
    return 0


def diagnose(arguments: Namespace, output: Output) -> int:
    from lvm.data.sources import open_for_diagnosis
    from lvm.quality.direction import check_direction, render_report
    from lvm.runs.outlook import as_document

    thresholds = load_config(Path(arguments.root)).thresholds
    opened = open_for_diagnosis(
        Path(arguments.file),
        bank=Path(arguments.bank) if arguments.bank else None,
        seed=SPLIT_SEED,
        progress=output.progress,
    )
    report = check_direction(opened.sequences, thresholds, seed=arguments.seed)
    aligned = opened.alignment
    found = arrow = None
    if opened.corpus is not None and not arguments.no_forecast:
        from lvm.runs.outlook import make_forecast, probe

        found = make_forecast(
            opened.corpus, thresholds, seed=arguments.seed, progress=output.progress
        )
        arrow = probe(opened.corpus, seed=arguments.seed)
    if output.as_json:
        output.document(
            {
                "file": arguments.file,
                "quality": report.to_json(),
                "alignment": aligned.to_json() if aligned else None,
                "forecast": as_document(found, arrow, thresholds) if found and arrow else None,
            }
        )
        return 0 if report.passed else 1
    output.lines(render_report(report))
    if aligned is not None:
        output.line(f"alignment  {aligned.words}")
    if opened.corpus is not None:
        output.lines(f"note  {note}" for note in opened.corpus.notes)
    if found is not None and arrow is not None:
        from lvm.quality.arrow import render_arrow
        from lvm.quality.forecast import render_forecast

        output.line()
        output.lines(render_forecast(found))
        output.line()
        output.lines(render_arrow(arrow))
    return 0 if report.passed else 1
