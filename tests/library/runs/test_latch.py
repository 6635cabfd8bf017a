"""A finding that every epoch repeats is one alert, until it is acknowledged or becomes another."""

from __future__ import annotations

from pathlib import Path

from lvm.events import AlertAcknowledged, AlertRaised
from lvm.runs.folder import RunFolder
from lvm.runs.latch import Latch
from lvm.runs.runlog import RunLog, count_bias_alerts

from .conftest import FakeClock


def bias(epoch: int, split: str = "VAL", level: str = "alarm") -> AlertRaised:
    return AlertRaised(
        f"backward_bias-{epoch}-{split}", "backward_bias", level, "m", epoch=epoch, split=split
    )


def test_only_the_first_raising_is_news() -> None:
    latch = Latch()
    assert [latch.take(bias(epoch)) for epoch in (5, 10, 15)] == [True, False, False]
    assert latch.firsts("") == ["backward_bias-5-VAL"]
    assert latch.firsts("backward_bias-15-VAL") == ["backward_bias-5-VAL"]
    assert latch.firsts("backward_bias-5-OOD") == []


def test_another_split_level_or_cause_is_another_alert() -> None:
    latch = Latch([bias(5)])
    assert latch.take(bias(10, "OOD"))
    assert latch.take(bias(10, level="severe"))
    assert latch.take(AlertRaised("collapse-10-VAL", "collapse", "alarm", "m", epoch=10))


def test_after_an_acknowledgement_it_is_news_again() -> None:
    latch = Latch([bias(5), bias(10), AlertAcknowledged("backward_bias-10-VAL", "ada")])
    assert latch.open == []
    assert latch.take(bias(15))


def test_alerts_of_no_epoch_are_each_their_own() -> None:
    first, second = (
        AlertRaised(f"device_fallback-{n}", "device_fallback", "notice", "m") for n in (0, 1)
    )
    latch = Latch([first])
    assert latch.take(second)


def test_an_epoch_that_is_trained_again_is_no_news() -> None:
    latch = Latch([bias(5), bias(10)])
    assert not latch.take(bias(10))
    assert latch.open[0].ids == ["backward_bias-5-VAL", "backward_bias-10-VAL"]


def test_one_acknowledgement_answers_all_raisings_and_each_of_them_still_counts(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path)
    with RunLog(folder, FakeClock()) as log:
        for epoch in (5, 10, 15):
            log.append(bias(epoch))
        log.append(bias(15, "OOD"))
        (record,) = log.acknowledge("backward_bias-10-VAL", "ada")
        assert record.event == AlertAcknowledged("backward_bias-5-VAL", "ada")
        assert log.acknowledge("backward_bias-15-VAL", "ada") == []
        assert [each.event.alert for each in log.acknowledge("", "bob")] == ["backward_bias-15-OOD"]
        log.append(bias(20))
        assert len(log.acknowledge("", "ada")) == 1
    assert count_bias_alerts(folder.events) == 5
