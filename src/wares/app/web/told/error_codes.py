"""What each stable error code means: one table for the answers, for `GET /v1/errors/{code}` and for the docs."""

from collections.abc import Mapping
from dataclasses import dataclass

BASE = "/v1/errors/"  # a problem's `type` is this and its code: the same on every server, whatever its name


@dataclass(frozen=True, slots=True)
class Meaning:
    """`statuses`: the HTTP statuses it comes with, most frequent first; () = as the refusal behind it has it."""

    statuses: tuple[int, ...]
    when: str
    remedy: str


_ASK_LATER = "Ask again later; the server's log says more."
CODES: Mapping[str, Meaning] = {
    # -- of the error tree (`wares/errors.py`)
    "error": Meaning((500,), "Something failed that has no code of its own.", _ASK_LATER),
    "invalid-input": Meaning(
        (422,),
        "What was asked for cannot be.",
        "`detail` says what is valid. Put it right; the same again fails again.",
    ),
    "unknown-name": Meaning(
        (422, 404),
        "A surface, field, sort, market or other name is not there; 404 for a product, shop or error code.",
        "`what` says of which kind, `known` lists up to 100 that there are.",
    ),
    "invalid-data": Meaning((422,), "A value cannot be kept.", "`detail` names line, field and value. Put it right."),
    "ambiguous-shopper": Meaning(
        (422,),
        "A login would make one shopper of two known ones, or take an anonymous one who is somebody else's.",
        "Send the login with the ids of one person, or undo the earlier one with `DELETE /v1/identify/{anonymous}`.",
    ),
    "too-many-gone": Meaning(
        (422,),
        "A full feed lacks so many products of the shop that it may be broken.",
        "Look at the feed; `wares sync --at-most` lets it pass.",
    ),
    "invalid-rules": Meaning(
        (422,),
        "The shop's rules cannot be read, or stand in each other's way.",
        "`wares rules check` names each fault.",
    ),
    "invalid-experiment": Meaning(
        (422,),
        "An experiment cannot be read, or another one is in its way.",
        "`detail` names each fault with its place.",
    ),
    "invalid-campaign": Meaning(
        (422,),
        "A campaign cannot be read, its name was used before, or it does not fit the shop.",
        "`detail` names each fault with its place.",
    ),
    "cursor-expired": Meaning(
        (410,),
        "The page behind a cursor is gone: 10 minutes after its last use, or with the process that kept it.",
        "Ask the same question without a cursor.",
    ),
    "invalid-settings": Meaning((500,), "The settings file is wrong.", "Put `wares.toml` right; `detail` says where."),
    "store": Meaning(
        (500,), "The shop's folder holds no shop, or a damaged or newer one.", "Restore it from a backup, or upgrade."
    ),
    "store-locked": Meaning(
        (409,), "Another process is writing to the shop.", "Wait until it is done, then send the same again."
    ),
    "store-unwritable": Meaning(
        (507,),
        "The folder is read-only or the disk is full. Nothing was half done.",
        "Make room, then send the same again.",
    ),
    "backup": Meaning(
        (500,),
        "A backup is cut, altered or of a newer version. Nothing was restored.",
        "Take another backup, or upgrade.",
    ),
    "snapshot": Meaning(
        (500,), "What was learnt is cut, altered or of another version.", "Train again: `wares train`."
    ),
    "encoder": Meaning(
        (500,), "The text encoder cannot be loaded, or is not the one that made the vectors.", "Train again."
    ),
    "ranker-unavailable": Meaning(
        (500,), "The learned order cannot be computed on this machine.", "`detail` names the package to install."
    ),
    "training": Meaning((500,), "Training stopped; the last good snapshot stays.", _ASK_LATER),
    # -- of the service
    "invalid-request": Meaning(
        (422,), "The address or the body is not what the route takes.", "`errors` names each field and its fault."
    ),
    "unsupported-media-type": Meaning(
        (415,),
        "The body's `Content-Type` or `Content-Encoding` is none that the route reads.",
        "Send `application/json`, on the bulk routes also `application/x-ndjson`; plain or as `gzip`.",
    ),
    "invalid-encoding": Meaning((422,), "The body is no whole gzip, as its `Content-Encoding` says.", "Pack it again."),
    "invalid-idempotency-key": Meaning(
        (422,),
        "The `Idempotency-Key` is empty, too long or not plain ASCII.",
        "Use a UUID: 1 to 200 letters and signs.",
    ),
    "idempotency-key-reused": Meaning(
        (422,),
        "The `Idempotency-Key` came within 24 hours with another request: route, address or body.",
        "Use a new key for each new request.",
    ),
    "idempotency-key-in-flight": Meaning(
        (409,), "The first request with this `Idempotency-Key` is not answered yet.", "Send the same again in a moment."
    ),
    "unauthorised": Meaning(
        (401,), "A key or token is missing, wrong, invalid or revoked.", "Send one: `Authorization: Bearer <key>`."
    ),
    "key-expired": Meaning((401,), "The key has expired.", "`wares keys new` makes another."),
    "token-expired": Meaning((401,), "The shopper's token has expired.", "Get a new one from the shop's backend."),
    "scope-missing": Meaning((403,), "The key may not do this.", "`detail` names the scope that it lacks."),
    "confined": Meaning(
        (403,),
        "The key or token acts for another shopper, or on other surfaces or in other markets.",
        "`detail` names what it may ask.",
    ),
    "not-from-the-console": Meaning(
        (403,),
        "A change of the operator's console came without its header.",
        "Send `X-Wares-Console: 1`, which no page of another origin can.",
    ),
    "foreign-origin": Meaning(
        (403,),
        "A web page of another origin asks, and the key is not for it; without keys: it tried to write.",
        "Make a key for that origin: `wares keys new --origin`.",
    ),
    "errand": Meaning((500,), "What the console asked for could not be worked out.", _ASK_LATER),
    "wrong-host": Meaning(
        (421,),
        "A server without a key was asked under a name that is not local.",
        "Ask it as `localhost`, or give the shop a key.",
    ),
    "too-many-requests": Meaning(
        (429,),
        "Too many requests of this key, address or shopper.",
        "Wait as many seconds as `Retry-After` says. Without it one batch asks more than a minute holds: send less.",
    ),
    "overloaded": Meaning(
        (503,),
        "More is asked at the moment than can be answered: too many wait, their bodies are too large together, or this "
        "one waited too long.",
        "Ask again after as many seconds as `Retry-After` says.",
    ),
    "answering-failed": Meaning(
        (500,),
        "The process that worked on this answer ended or took a minute, and so did the next one, if there was one.",
        "Ask something else; the same again after ten minutes. Report what does it again; the log tells `worker-lost`.",
    ),
    "body-too-slow": Meaning((408,), "The body did not come in time.", "Send it again, in smaller batches."),
    "not-found": Meaning((404,), "There is no such route.", "The routes stand in `/v1/openapi.json`."),
    "method-not-allowed": Meaning((405,), "The route takes another method.", "`Allow` says which."),
    "too-large": Meaning(
        (413,),
        "The body is larger than `server.max_body_kib`, unpacked; a search or the like, than 256 KiB.",
        "Send smaller batches.",
    ),
    "too-many-records": Meaning(
        (413,), "More than `server.max_records` records. None of them was kept.", "Send smaller batches."
    ),
    "record-too-large": Meaning(
        (413,),
        "A record is larger than `server.max_record_kib`. None of the request was kept.",
        "`line` says which. As NDJSON the other lines are kept.",
    ),
    "query-too-long": Meaning(
        (413,), "More than `server.max_query_characters` characters.", "Cut the query: the rest would hardly count."
    ),
    "http": Meaning((), "Any other refusal of the web framework.", "`detail` and the status say what it is."),
    "internal": Meaning((500,), "A fault in wares.", "The server's log says where. Please report it."),
}


def type_of(code: str) -> str:
    """The problem document's `type`: an address that says what the code means."""
    return f"{BASE}{code}"
