"""One string names any encoder."""

from __future__ import annotations

from pathlib import Path

from lvm.data.encoders.base import Encoder
from lvm.data.encoders.http import HttpEncoder
from lvm.data.encoders.lsa import LsaEncoder
from lvm.data.encoders.sentence import DEFAULT_MODEL, SentenceTransformerEncoder
from lvm.errors import SettingsError


def open_encoder(spec: str, *, device: str = "auto") -> Encoder:
    """Open an encoder that is ready to encode.

    "lsa:PATH" or a path ending in .npz: a saved LSA encoder. "known:BANK": only the texts of a
    bank. "http://…", "https://…": an encoder behind HTTP. "st:NAME_OR_FOLDER", or only the name or
    folder: a sentence-transformers model; "st": the default one. Raises InputError (of which
    SettingsError and DataError are kinds).
    """
    kind, _, rest = spec.partition(":")
    if spec in ("", "lsa"):
        raise SettingsError(
            "the lsa encoder is fitted on a corpus" if spec else "no encoder given",
            fix="to encode with one that was fitted before, give lsa:NAME.encoder.npz",
        )
    if kind == "lsa":
        return LsaEncoder.load(Path(rest))
    if kind == "known":
        from lvm.data.encoders.known import KnownTexts

        return KnownTexts(Path(rest))
    if kind in ("http", "https"):
        return HttpEncoder(spec)
    if kind == "st":
        return SentenceTransformerEncoder(rest or DEFAULT_MODEL, device)
    if spec.endswith(".npz"):
        return LsaEncoder.load(Path(spec))
    return SentenceTransformerEncoder(spec, device)
