"""Rules, their versions, changes, conflicts and previews as JSON: what `--json` prints and the console is sent."""

from typing import Any

from wares.engine.rules.book import Version
from wares.engine.rules.changes import RuleChange
from wares.engine.rules.merchandising import Check, LogEntry
from wares.engine.rules.preview import Preview, Side
from wares.engine.rules.settings import RuleSettings


def version_json(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "by": version.by,
        "at": version.at.isoformat() if version.at else None,
        "note": version.note,
        "same_as": version.same_as,
    }


def rule_json(rule: RuleSettings) -> dict[str, Any]:
    return rule.model_dump(mode="json", by_alias=True, exclude_unset=True)


def conflicts_json(found: Check) -> list[dict[str, Any]]:
    return [
        {
            "kind": one.kind,
            "rules": list(one.rules),
            "names": [rule.name for number in one.rules for rule in found.rules[number - 1 : number]],
            "text": one.text,
            "new": one in found.new,
        }
        for one in found.conflicts
    ]


def change_json(change: RuleChange) -> dict[str, Any]:
    before, after = change.numbers
    lines = {"before": list(change.before), "after": list(change.after)}
    return {"kind": change.kind, "rule": change.title, "was": before, "is": after, **lines}


def entry_json(entry: LogEntry) -> dict[str, Any]:
    return version_json(entry.version) | {"damaged": entry.damaged, "changes": list(map(change_json, entry.changes))}


def preview_json(one: Preview) -> dict[str, Any]:
    request = one.question.request
    return {
        "asked": one.question.label,
        "surface": request.surface,
        "query": request.query,
        "category": next(iter(request.filter.choices_of("category", fixed=True)), ""),
        "market": request.market,
        "segment": dict(one.question.attributes or {}),
        "at_ms": request.now_ms,
        "changes": one.changes,
        "before": _side_json(one.before),
        "after": _side_json(one.after),
        "ranks": [{"id": r.id, "title": r.title, "before": r.before, "after": r.after} for r in one.ranks],
    }


def _side_json(side: Side) -> dict[str, Any]:
    banners = [{"text": one.text, "url": one.url, "image_url": one.image_url} for one in side.banners]
    told = {"banners": banners, "redirect": side.redirect, "notes": list(side.notes)}
    return {"ids": list(side.ids), "total": side.total, **told}
