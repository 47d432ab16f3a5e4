"""What ``/api/v1`` puts around its routes: methods, CORS and cache headers (contract rest.md §2.2, §2.3)."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from civitscrape.sandbox.ask import Answer, compact, json_answer
from civitscrape.sandbox.rest import CORS, PRIVATE, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.site import Site

P = ParamSpec("P")


def error(ask: Ask, status: int, text: str) -> Answer:
    """Answer ``{"error": text}``."""
    return json_answer(ask, compact({"error": text}), status=status)


def message(ask: Ask, status: int, text: str) -> Answer:
    """Answer ``{"message": text}``, as errors of the services pass through the shared handler."""
    return json_answer(ask, compact({"message": text}), status=status)


def public(route: Callable[Concatenate[Site, Ask, P], Answer]) -> Callable[Concatenate[Site, Ask, P], Answer]:
    """Wrap a Public route: any method is the same, ``OPTIONS`` is empty, everything is publicly cacheable."""

    @wraps(route)
    def wrapped(site: Site, ask: Ask, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        answer = Answer() if ask.method == "OPTIONS" else route(site, ask, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", PUBLIC)
        answer.headers.update(CORS)
        return answer

    return wrapped


def mixed(route: Callable[Concatenate[Site, Ask, P], Answer]) -> Callable[Concatenate[Site, Ask, P], Answer]:
    """Wrap a Mixed route: only ``GET``, and publicly cacheable only to anonymous callers."""

    @wraps(route)
    def wrapped(site: Site, ask: Ask, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        if ask.method != "GET":
            return _wrong_method(ask)
        answer = route(site, ask, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", PUBLIC if ask.caller is None else PRIVATE)
        answer.headers.update(CORS)
        return answer

    return wrapped


def authed(route: Callable[Concatenate[Site, Ask, P], Answer]) -> Callable[Concatenate[Site, Ask, P], Answer]:
    """Wrap an Authed route: for callers who are logged in, and never cacheable."""

    @wraps(route)
    def wrapped(site: Site, ask: Ask, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        if ask.method == "OPTIONS":
            answer = Answer()
        elif ask.method != "GET":
            answer = _wrong_method(ask)
        elif ask.caller is None:
            answer = error(ask, 401, "Unauthorized")
        else:
            answer = route(site, ask, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", PRIVATE)
        answer.headers.update(CORS)
        answer.headers["Access-Control-Allow-Origin"] = ask.home
        answer.headers["Access-Control-Allow-Credentials"] = "true"
        return answer

    return wrapped


def _wrong_method(ask: Ask) -> Answer:
    answer = error(ask, 405, "Method not allowed")
    answer.headers["Cache-Control"] = PRIVATE
    return answer
