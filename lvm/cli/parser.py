"""The command line: names and flags as users of the old scripts know them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import get_args

from lvm import __version__
from lvm.cli.usage import Parser
from lvm.presets import PRESET_HELP, PRESETS
from lvm.settings import MODEL_TYPES, Objective

_KINDS = """\
forward   each chunk follows from the one before: the checks pass, models learn
          to predict forward and are ready for production
reversed  the same, with the training articles turned round (VAL and OOD are
          not): the data checks still pass, for cosines are the same from either
          end; models learn the backward step, so 5CAT alarms (BACKWARD BIAS)
shuffled  the chunks of each article in random order: coherence, signal and
          order fail, and the data is refused
flat      the chunks of all articles of a split mixed: refused likewise

BANK.reference.json, written beside the bank, names its VAL and OOD articles;
they are the split wherever no other is asked for. A model needs at least 40
articles to learn from.
"""

_DEVICE = "auto (cuda, then mps, then cpu), cuda, cuda:1, mps or cpu; the cpu if it is not there"

_EPILOG = """\
exit codes: 0 done and passed · 1 ran, the verdict is "fail" · 2 usage or bad input
            3 failed while running · 130 interrupted
"""


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line, understood. Raises UsageError; --help and --version exit."""
    arguments, unknown = build_parser().parse_known_args(words)
    if unknown:
        arguments.parser.refuse(unknown)
    return arguments


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lvm",
        description="Train, test and check Latent Vector Models. The dashboard is lvm-tui.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lvm {__version__}")
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)  # else a verb resets them
    for each in (parser, common):  # before the command or after it
        each.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help="one JSON document on standard output",
        )
        each.add_argument(
            "--root",
            metavar="DIR",
            default=argparse.SUPPRESS,
            help="the project folder (default: here)",
        )
    parser.set_defaults(json=False, root=".")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, function: str, summary: str, *, within: argparse._SubParsersAction[Parser]
    ) -> Parser:
        module, _, function = function.partition(":")
        sub = within.add_parser(name, help=summary, description=summary, parents=[common])
        sub.set_defaults(module=module, function=function, parser=sub)
        return sub

    init = command("init", "data:init", "write a commented lvm.toml", within=commands)
    init.add_argument("--force", action="store_true", help="replace an lvm.toml that is there")

    encode = command("encode", "data:encode", "text files → vector bank", within=commands)
    encode.add_argument("source", nargs="+", metavar="SOURCE", help="txt, md, rst, html, jsonl")
    encode.add_argument("--out", required=True, metavar="BANK", help="the .npz to write")
    encode.add_argument(
        "--encoder",
        default="lsa",
        help="lsa (default; nothing to download), a sentence-transformers name or folder, http://…",
    )
    encode.add_argument("--dim", type=int, default=768, help="width of the lsa encoder's vectors")
    encode.add_argument("--seed", type=int, default=0)

    reference = command(
        "reference", "data:reference", "make a reference corpus of known signal", within=commands
    )
    reference.epilog = _KINDS
    reference.formatter_class = argparse.RawDescriptionHelpFormatter
    reference.add_argument(
        "kind", choices=["forward", "reversed", "shuffled", "flat"], help="see below"
    )
    reference.add_argument("--out", required=True, metavar="BANK", help="the .npz to write")
    reference.add_argument("--dim", type=int, default=768, help="width, at least 32 (768)")
    reference.add_argument("--articles", type=int, default=800, help="at least 10 (800)")
    reference.add_argument("--seed", type=int, default=0)
    reference.add_argument(
        "--strength",
        type=float,
        default=1.0,
        help="0 to 1: how much of the forward step can be foreseen (coherence and signal stay)",
    )
    reference.add_argument(
        "--blurred",
        action="store_true",
        help="noise lies on the dynamics, so that a model must read all five contexts",
    )

    diagnose = command(
        "diagnose", "data:diagnose", "data quality, before any training", within=commands
    )
    diagnose.add_argument("file", metavar="FILE", help="sequences or a bank (.npz)")
    diagnose.add_argument("--bank", help="the articles of a sequence file, for the alignment")
    diagnose.add_argument(
        "--no-forecast", action="store_true", help="leave out baselines and forecast"
    )
    diagnose.add_argument("--seed", type=int, default=0)

    train = command("train", "training:train", "train one model", within=commands)
    train.add_argument("model", choices=MODEL_TYPES)
    _add_training(train)

    queue = command("queue", "training:queue_list", "the queue", within=commands)
    verbs = queue.add_subparsers(dest="verb", metavar="VERB")
    add = command("add", "training:queue_add", "add a model", within=verbs)
    add.add_argument("model", choices=MODEL_TYPES)
    _add_training(add)
    everything = command("all", "training:queue_all", "add all four models", within=verbs)
    _add_training(everything)
    command("list", "training:queue_list", "what is queued, running, done", within=verbs)
    move = command("move", "training:queue_move", "change the order", within=verbs)
    move.add_argument("job", type=int)
    move.add_argument("to", choices=["up", "down", "top", "bottom"])
    for name, summary in {
        "remove": "take a job off the queue",
        "retry": "queue a failed or stopped job again; it resumes where it was",
    }.items():
        verb = command(name, f"training:queue_{name}", summary, within=verbs)
        verb.add_argument("job", type=int)
    for name, summary in {
        "pause": "pause what trains",
        "resume": "go on",
        "stop": "stop after a checkpoint, and the queue with it",
        "skip": "stop this job, go to the next",
    }.items():
        command(name, f"training:queue_{name}", summary, within=verbs)
    acknowledge = command(
        "acknowledge", "training:queue_acknowledge", "acknowledge an alert", within=verbs
    )
    acknowledge.add_argument("alert", nargs="?", default="", help="its id; all if left out")
    run = command("run", "training:queue_run", "train what is queued", within=verbs)
    run.add_argument("--wait", action="store_true", help="wait for new jobs when it is empty")

    fivecat = command("5cat", "fivecat:fivecat", "the five tests on a checkpoint", within=commands)
    fivecat.add_argument("--model", required=True, metavar="CKPT", help="a checkpoint (.pt)")
    _add_test_data(fivecat)
    fivecat.add_argument("--max-samples", type=int, help="drawn from each split (5000)")
    fivecat.add_argument("--horizon", type=int, help="steps of the rollout (5)")
    fivecat.add_argument("--device", default="auto", help=_DEVICE)
    fivecat.add_argument(
        "--offset-origin",
        choices=["context", "target"],
        help="where k = 0 lies: context, or target to compare with reports of the old tool",
    )
    fivecat.add_argument("--seed", type=int, default=0, help="of the samples drawn (0)")

    runs = command("runs", "runs:list_all", "runs", within=commands)
    verbs = runs.add_subparsers(dest="verb", metavar="VERB")
    command("list", "runs:list_all", "all runs, newest first", within=verbs)
    show = command("show", "runs:show", "one run", within=verbs)
    show.add_argument("run")
    compare = command("compare", "runs:compare", "settings and numbers side by side", within=verbs)
    compare.add_argument("run", nargs="+")
    resume = command("resume", "runs:resume", "go on with a run", within=verbs)
    resume.add_argument("run")
    resume.add_argument("--epochs", type=int, help="train to this many epochs in all")
    resume.add_argument("--device", help="instead of the one that it was trained on")

    promote = command(
        "promote", "promotion:promote", "bring a checkpoint into production", within=commands
    )
    promote.add_argument("checkpoint", nargs="?", metavar="CKPT")
    promote.add_argument("--as", dest="name", metavar="NAME", help="transformer, gru, lstm, amn, …")
    promote.add_argument("--override", metavar="REASON", help="although it falls short; recorded")
    promote.add_argument(
        "--recover", choices=["finish", "undo"], help="instead: end what was interrupted"
    )
    _add_promotion(promote)
    _add_test_data(promote.add_argument_group("test data: the run's own, if left out"))
    rollback = command(
        "rollback", "promotion:rollback", "back to what was in production before", within=commands
    )
    rollback.add_argument("name", metavar="NAME")
    rollback.add_argument("--to", type=int, metavar="ENTRY", help="an entry of the ledger")
    _add_promotion(rollback)

    report = command(
        "report", "datamap:report", "the data map: production and predecessors", within=commands
    )
    report.add_argument(
        "--out", metavar="FILE", help="docs/LVM_DATA_MAP.md, made if it is not there; - prints it"
    )
    report.add_argument(
        "--include", nargs="+", default=[], metavar="CKPT", help="older checkpoints, to compare"
    )
    report.add_argument("--no-test", action="store_true", help="only numbers that are known")
    report.add_argument("--device", default="auto")
    _add_test_data(report.add_argument_group("test data: that of the promotion, if left out"))

    services = command("services", "services:status", "the HTTP services", within=commands)
    services.set_defaults(name=[])
    verbs = services.add_subparsers(dest="verb", metavar="VERB")
    for name, summary in {
        "start": "start them; without names, all that have a model",
        "stop": "stop them, after they have answered what they were asked",
        "restart": "load what stands there now; no request is refused meanwhile",
        "status": "who runs, since when, with which file",
    }.items():
        verb = command(name, f"services:{name}", summary, within=verbs)
        verb.add_argument("name", nargs="*", metavar="NAME")
    logs = command("logs", "services:logs", "what they said", within=verbs)
    logs.add_argument("name", nargs="*", metavar="NAME")
    logs.add_argument("-n", "--lines", type=int, default=50)
    logs.add_argument("-f", "--follow", action="store_true", help="go on as it says more")
    serve = command("serve", "serving:serve", "one service in the foreground", within=commands)
    serve.add_argument("name", metavar="NAME", help="transformer, gru, lstm, amn, or your own")
    serve.add_argument("--model", metavar="CKPT", help="instead of the service's own")
    serve.add_argument("--host", help="instead of the one in lvm.toml (127.0.0.1)")
    serve.add_argument("--port", type=int, help="instead of the service's own; 0: any free one")
    serve.add_argument("--fd", type=int, metavar="N", help="a listening socket that is handed over")
    serve.add_argument("--device", help="auto (cuda, then mps, then cpu)")
    serve.add_argument("--bank", metavar="B", help="texts and vectors for /chat")
    serve.add_argument("--encoder", metavar="E", help="the bank's own, if left out")
    serve.add_argument("--decoder", metavar="URL", help="the bank's texts, if left out")

    chat = command("chat", "serving:chat", "one message to a service", within=commands)
    chat.add_argument("text", nargs="+", metavar="TEXT", help="messages, the last one is answered")
    chat.add_argument("--service", required=True, metavar="NAME")
    chat.add_argument("--temperature", type=float, default=0.0, help="0 (default): the nearest")
    chat.add_argument("--seed", type=int, help="of the draw")
    chat.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS")
    chat.add_argument("--host", help="instead of the service's own")
    chat.add_argument("--port", type=int)
    return parser


def _add_test_data(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--val-npz", metavar="F", help="sequences of VAL, …")
    parser.add_argument("--ood-npz", metavar="F", help="… of OOD, …")
    parser.add_argument("--articles-npz", metavar="F", help="… and the bank of their articles")
    parser.add_argument("--bank", metavar="B", help="instead: a bank, split as in train")
    _add_bank_split(parser)


def _add_promotion(parser: argparse.ArgumentParser) -> None:
    """What a promotion and a rollback have in common."""
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    parser.add_argument("--dry-run", action="store_true", help="show the plan, change nothing")
    parser.add_argument(
        "--no-restart",
        dest="restart",
        action="store_false",
        help="change the link only: nothing is restarted or verified",
    )
    parser.add_argument(
        "--wait", type=float, metavar="SECONDS", help="for the service (start_seconds of lvm.toml)"
    )
    parser.add_argument("--device", default="auto")


def _add_bank_split(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--val-articles", metavar="A-B", help="article ids of VAL, inclusive")
    parser.add_argument("--ood-articles", metavar="A-B", help="article ids of OOD, inclusive")


def _add_training(parser: argparse.ArgumentParser) -> None:
    """Flags left out take the value of lvm.toml, or the default (docs/settings)."""
    data = parser.add_argument_group("data: four files, or one bank")
    for name, what in {
        "train": "sequences to train on",
        "val": "sequences to validate and test on",
        "ood": "sequences of articles kept out of both",
        "articles": "the bank that their articles are in",
    }.items():
        data.add_argument(f"--{name}", metavar="F", dest=f"data_{name}", help=f"{what} (.npz)")
    data.add_argument("--bank", metavar="B", help="instead: a bank (.npz), split by articles")
    _add_bank_split(data)
    training = parser.add_argument_group("training")
    training.add_argument("--preset", choices=list(PRESETS), default="", help=PRESET_HELP)
    training.add_argument("--epochs", type=int, help="20")
    training.add_argument("--device", help=_DEVICE)
    training.add_argument("--batch-size", type=int, help="256")
    training.add_argument("--learning-rate", type=float, help="0.0005")
    training.add_argument("--objective", choices=get_args(Objective), help="mse")
    training.add_argument("--precision", choices=["fp32", "bf16"])
    training.add_argument(
        "--compile",
        action="store_true",
        default=None,
        help="torch.compile: minutes at the start, worth it on a GPU",
    )
    training.add_argument("--early-stop", type=int, metavar="N", help="epochs without improvement")
    training.add_argument("--on-severe", choices=["stop", "alert"], help="severe backward bias")
    training.add_argument(
        "--on-gate-failure",
        choices=["go_on", "stop_queue", "retry_forward"],
        help="a run that is not ready for production: the queue goes on (default), it stops, or "
        "the job is tried again, once and next, with the forward objective",
    )
    training.add_argument(
        "--no-forecast",
        dest="forecast",
        action="store_false",
        default=None,
        help="leave out baselines and forecast before the training",
    )
    training.add_argument(
        "--accept-bad-data",
        action="store_true",
        default=None,
        help="train although the data fails its checks; recorded",
    )
    training.add_argument("--seed", type=int, help="the same seed, the same weights (0)")
