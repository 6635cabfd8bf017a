"""The `lvm.toml` that `lvm init` writes: every setting, its default, and what it is for."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from lvm.settings import DataSettings, FivecatSettings, Thresholds, TrainSettings

_HEAD = """\
# Settings of this project folder. A line that begins with # shows the default;
# take the # away to change it. Flags of the commands win over this file.
"""

_TITLES = {
    "data": "Where the data comes from: a bank, or four files. Paths are relative to this folder.",
    "train": "Training. Jobs in the queue keep the settings that they were queued with.",
    "thresholds": "The gates of 5CAT and of production; every result keeps those that judged it.",
    "fivecat": "The full test (lvm 5cat). The short one in training: fivecat_samples, …_horizon.",
}

_COMMENTS: dict[str, dict[str, str]] = {
    "data": {
        "bank": "a bank (.npz): windows, splits and tests are all made from it",
        "train": "or: training sequences (.npz),",
        "val": "validation sequences,",
        "ood": "sequences of articles kept out of everything,",
        "articles": "and the bank that their articles are in",
        "val_articles": "bank only: article ids of VAL, inclusive, as in 4000-4499",
        "ood_articles": "bank only: article ids of OOD, as in 1500-1999",
        "val_fraction": "bank only, without such a range: share of the articles",
        "ood_fraction": "likewise",
    },
    "train": {
        "model": "transformer, gru, lstm or amn",
        "epochs": "",
        "batch_size": "effective: over all GPUs and accumulated micro-batches",
        "micro_batch": "rows per forward pass; 0 = the whole batch",
        "learning_rate": "",
        "weight_decay": "",
        "d_model": "a multiple of 8",
        "hidden_dim": "",
        "context_noise": "length of the noise added to each context: against over-fitting",
        "weight_average": "save the mean weights over this share of the steps; 0 = off",
        "objective": "mse, or forward: it also pushes away what must not win",
        "forward_push": "forward: what margin counts beside cosine",
        "forward_goal": "forward: margin from which only the cosine is trained",
        "forward_temperature": "forward: cosines this near count as equal",
        "warmup_steps": "steps until the learning rate is reached",
        "plateau_factor": "the learning rate falls by this …",
        "plateau_patience": "… after so many epochs without a lower validation loss",
        "early_stop": "end after so many such epochs; 0 = never",
        "fivecat_every": "run 5CAT every so many epochs, and after the last",
        "checkpoint_every": "keep a checkpoint every so many epochs",
        "fivecat_samples": "samples a split of that 5CAT",
        "fivecat_horizon": "its rollout steps",
        "save_every_seconds": "last.pt is written each epoch, and this often within one",
        "on_severe": "severe backward bias: stop the run, or only alert",
        "on_gate_failure": "not ready for production: go_on, stop_queue, or retry_forward (once)",
        "forecast": "baselines and what the gates can reach, before training: some seconds",
        "accept_bad_data": "train on data that fails its checks; it is recorded",
        "device": "auto (cuda, then mps, then cpu), cuda, cuda:1, mps, cpu",
        "precision": "fp32 or bf16",
        "compile": "torch.compile: minutes at the start; on the CPU it needs g++",
        "seed": "",
    },
    "thresholds": {
        "cos_val": "gate A: mean cosine at k=+1",
        "cos_ood": "",
        "margin_val": "gate A: k=+1 before every other k",
        "margin_ood": "",
        "r1_val": "gate B: the true next chunk is ranked first",
        "r1_ood": "",
        "r5_val": "gate B: among the first five",
        "r5_ood": "",
        "mrr_val": "gate B: mean reciprocal rank",
        "mrr_ood": "",
        "shuffled": "gate C: change of the cosine at most",
        "reversed": "",
        "leave_one_out": "",
        "repeat_last": "",
        "cross_article": "",
        "rollout_val": "gate D",
        "rollout_ood": "",
        "bins_difference": "gate E: VAL and OOD differ at most",
        "bin_low": "coherence below: bin low",
        "bin_normal": "coherence below: bin normal",
        "severe": "a margin below: severe backward bias",
        "alarm": "below: BACKWARD BIAS DETECTED",
        "caution": "below: slight backward tendency",
        "good": "from here: good forward prediction",
        "ready_margin_val": "ready for production",
        "ready_margin_ood": "",
        "ready_rollout_val": "",
        "ready_gates": "of five",
        "coherence": "data: adjacent contexts",
        "signal": "data: last context nearer to the target than the first",
    },
    "fivecat": {
        "max_samples": "a split",
        "horizon": "rollout steps",
        "offset_origin": "context, or target to compare with reports of the old tool",
        "seed": "",
        "batch_size": "rows per forward pass",
    },
}

_DASHBOARD = """\
# How lvm-tui looks.
[dashboard]
# theme = ""                 # its command palette lists them
# animations = "auto"        # auto, none or full

# [dashboard.keys]           # action = key, where you want another
# pause = "space"
"""

_NOTIFY = """\
# Who is told when a run ends, the queue is through, or an alarm is raised.
[notify]
# terminal = "bell"          # of each terminal: none, bell, osc9 or osc777
# command = ""               # a shell command; it finds LVM_TITLE, LVM_MESSAGE, … (docs/usage.md)
# webhook = ""               # an address that JSON is POSTed to
# webhook_token = ""         # environment variable that holds its bearer token
# on = ["run", "queue", "alert"]
# level = "alarm"            # the mildest alert: severe, alarm, caution or notice
# timeout_seconds = 10.0
"""

_SERVICES = """\
# One HTTP service a model: lvm services, lvm serve.
[services]
# host = "127.0.0.1"         # the address that they listen on
# manager = "supervisor"     # or commands: the start, stop, status of each service, as below
# start_seconds = 30.0       # until a started service must answer; a promotion goes back after it
# command_seconds = 60.0     # that such a command may take

# [services.transformer]     # likewise gru (9003), lstm (9004), amn (9006), and names of your own
#   port = 9002
#   enabled = true
#   model = ""               # a checkpoint; without, the link that lvm promote sets
#   device = "auto"
#   bank = ""                # texts for /chat; without, what the model was trained on
#   encoder = ""             # without, the one that made the bank
#   decoder = ""             # http://… of a decoder; without, the bank's own texts
#   start = ""               # manager = "commands": for the shell, which finds LVM_SERVICE
"""

_COLUMN = 29
"""Where the remarks stand."""


def render_template(data: DataSettings, **train: Any) -> str:
    """The text of an `lvm.toml` with this data and these settings of [train]; all else is shown at
    its default, commented out."""
    sections = [
        _section("data", data),
        _section("train", TrainSettings(**train)),
        _section("thresholds", Thresholds()),
        _section("fivecat", FivecatSettings()),
    ]
    return "\n".join([_HEAD, *sections, _DASHBOARD, _NOTIFY, _SERVICES])


def _section(name: str, settings: Any) -> str:
    lines = [f"# {_TITLES[name]}", f"[{name}]"]
    defaults = type(settings)()
    for item in dataclasses.fields(settings):
        value = getattr(settings, item.name)
        mark = "# " if value == getattr(defaults, item.name) else ""
        remark = _COMMENTS[name][item.name]
        line = f"{mark}{item.name} = {_toml(value)}"
        lines.append(f"{line:<{_COLUMN}}# {remark}" if remark else line)
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A value as TOML: JSON's texts are TOML's, one control character apart."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
