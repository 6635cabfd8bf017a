"""Which test data a command line asks for: `lvm 5cat`, `lvm promote`, `lvm report`."""

from __future__ import annotations

from argparse import Namespace

from lvm.errors import InputError
from lvm.settings import DataSettings


def given_test_data(arguments: Namespace) -> DataSettings | None:
    """What the flags say; None if they say nothing. Raises InputError if they say half of it."""
    files = (arguments.val_npz, arguments.ood_npz, arguments.articles_npz)
    if arguments.bank:
        if any(files):
            raise InputError(
                "both a bank and sequence files are given",
                fix="give either --bank, or --val-npz, --ood-npz and --articles-npz",
            )
        return DataSettings(
            bank=arguments.bank,
            val_articles=arguments.val_articles or "",
            ood_articles=arguments.ood_articles or "",
        )
    if all(files):
        return DataSettings(
            val=arguments.val_npz, ood=arguments.ood_npz, articles=arguments.articles_npz
        )
    if any(files):
        missing = [flag for flag, file in zip(_FLAGS, files, strict=True) if not file]
        raise InputError(f"test data is not complete: {', '.join(missing)} missing", fix=NEEDED)
    return None


_FLAGS = ("--val-npz", "--ood-npz", "--articles-npz")
NEEDED = "give --val-npz, --ood-npz and --articles-npz, or --bank, or a [data] section"
