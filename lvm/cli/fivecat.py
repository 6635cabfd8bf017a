"""`lvm 5cat`: the battery on a checkpoint."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lvm.cli.beforehand import check_device, check_test
from lvm.cli.data_flags import NEEDED, given_test_data
from lvm.cli.output import Output
from lvm.cli.report import fivecat_lines
from lvm.config import load_config
from lvm.errors import InputError
from lvm.naming import plain
from lvm.runs.past import judged_with_past, past_of
from lvm.runs.project import Project
from lvm.settings import SPLIT_SEED, DataSettings


def fivecat(arguments: Namespace, output: Output) -> int:
    from lvm.data.sources import open_test_data
    from lvm.fivecat.battery import run_battery
    from lvm.models.checkpoint import load_checkpoint
    from lvm.training.device import choose_device

    root = Path(arguments.root)
    config = load_config(root)
    changes = {
        "max_samples": arguments.max_samples,
        "horizon": arguments.horizon,
        "offset_origin": arguments.offset_origin,
        "seed": arguments.seed,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    settings = config.fivecat.changed(**given)
    check_device(arguments.device, output)
    data = _test_data(arguments, config.data)
    check_test(Path(arguments.model), data, root)
    device, _ = choose_device(arguments.device)
    checkpoint = load_checkpoint(Path(arguments.model), device=str(device))
    val, ood = open_test_data(data, root=root, seed=SPLIT_SEED, progress=output.progress)
    result = run_battery(
        checkpoint.model,
        val,
        ood,
        settings,
        config.thresholds,
        device,
        progress=lambda step: output.progress(
            f"{step.split} {plain(step.test)}", step.done, step.total
        ),
    )
    past = past_of(Path(arguments.model), checkpoint.meta, Project(root).models)
    document = judged_with_past(result.to_json(), past)
    if output.as_json:
        output.document(document)
    else:
        output.line(f"{arguments.model}  {checkpoint.model_type}, epoch {checkpoint.epoch}", "bold")
        output.line(f"history  {past.words}")
        output.lines(fivecat_lines(document))
    return 0 if document["ready"] else 1


def _test_data(arguments: Namespace, configured: DataSettings) -> DataSettings:
    given = given_test_data(arguments)
    if given is None and not configured.complete:
        raise InputError("no test data", fix=NEEDED)
    return given or configured
