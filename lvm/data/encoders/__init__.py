"""Encoders: LSA (always there), sentence-transformers models, and encoders behind HTTP.

Their libraries are imported when one is used, not here.
"""

from lvm.data.encoders.base import Encoder
from lvm.data.encoders.http import HttpEncoder
from lvm.data.encoders.lsa import LsaEncoder
from lvm.data.encoders.opening import open_encoder
from lvm.data.encoders.sentence import DEFAULT_MODEL, SentenceTransformerEncoder

__all__ = [
    "DEFAULT_MODEL",
    "Encoder",
    "HttpEncoder",
    "LsaEncoder",
    "SentenceTransformerEncoder",
    "open_encoder",
]
