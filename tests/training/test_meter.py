"""What is counted between reports, and Ctrl-C."""

from __future__ import annotations

import json
import signal
import threading

import pytest

from belamy.training.meter import Meter, deferred_interrupts


def test_means_since_the_last_report() -> None:
    meter = Meter()
    meter.add({"loss": 1.0})
    meter.add({"loss": 2.0})
    assert meter.means() == {"loss": 1.5}
    meter.restart()
    meter.add({"loss": 5.0})
    assert meter.means() == {"loss": 5.0}
    assert meter.step == 3


def test_a_meter_goes_on_between_two_reports() -> None:
    meter = Meter(measures={"accuracy": 3.0})
    for loss in (0.1, 0.2, 0.7):
        meter.add({"loss": loss})
    saved = json.loads(json.dumps(meter.to_json()))
    resumed = Meter.resume(3, saved, [{"step": 2, "loss": 9.0, "seconds": 100.0}])
    for each in (meter, resumed):
        each.add({"loss": 0.3})
    assert resumed.means() == meter.means()
    assert resumed.measures == {"accuracy": 3.0}
    assert 100 <= resumed.seconds < 110


def test_an_older_checkpoint_is_completed_from_the_log() -> None:
    resumed = Meter.resume(4, {}, [{"step": 4, "loss": 9.0, "accuracy": 50.0, "seconds": 7.0}])
    assert resumed.measures == {"loss": 9.0, "accuracy": 50.0}
    assert resumed.sums == {}


def test_the_first_interrupt_waits_and_the_second_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.getsignal(signal.SIGINT)
    with deferred_interrupts() as interrupted:
        assert not interrupted.is_set()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # as torchrun would, at once
        assert interrupted.is_set()
        monkeypatch.setattr("belamy.training.meter.SAME_PRESS", -1.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def look() -> None:
        with deferred_interrupts() as interrupted:
            seen.append((interrupted.is_set(), signal.getsignal(signal.SIGINT) is before))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [(False, True)]
