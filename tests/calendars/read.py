#!/usr/bin/env python3
"""Reads the exports of this folder as other programs do, with Python's icalendar and recurring-ical-events, and writes answers.json.

    python3 -m venv /tmp/calendars && /tmp/calendars/bin/pip install icalendar==VERSION recurring-ical-events==VERSION
    /tmp/calendars/bin/python tests/calendars/read.py

answers.json names the versions that were used, and for each file a stretch of time and what takes place in it. `cargo test` compares
that with what Kith itself reads (cli/src/export/calendar/others.rs). Only for developers: no test needs Python.
"""
import datetime as dt
import importlib.metadata
import json
import pathlib

import icalendar
import recurring_ical_events

HERE = pathlib.Path(__file__).resolve().parent
UTC = dt.timezone.utc


def text(at):
    """A moment in UTC, or a day."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(at, dt.datetime) else at.isoformat()


def occurrences(file, first, last):
    calendar = icalendar.Calendar.from_ical(file.read_bytes())
    # The zones that the file describes count, not those that this computer knows.
    found = recurring_ical_events.of(calendar).between(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    return sorted(f"{text(event.start)} {text(event.end)} {event['SUMMARY']}" for event in found)


answers = HERE / "answers.json"
known = json.loads(answers.read_text())
for name, entry in known["files"].items():
    entry["takes_place"] = occurrences(HERE / name, entry["from"], entry["to"])
known["read_by"] = {name: importlib.metadata.version(name) for name in ("icalendar", "recurring-ical-events")}
answers.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
