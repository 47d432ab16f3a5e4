"""How an answer goes over the wire: whole, or broken in the way a fault asks for."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from aiohttp import web

from civitscrape.sandbox.drawn import Drawn, pieces
from civitscrape.sandbox.faults import Fault

if TYPE_CHECKING:
    from civitscrape.sandbox.ask import Answer
    from civitscrape.sandbox.faults import Rule

BROKEN = frozenset({Fault.TRUNCATE, Fault.LENGTH})
SLOW = frozenset({Fault.STALL, Fault.DRIP})
PIECES = 20
SENT = web.RequestKey("sent", int)
"""Key under which a request holds how many bytes of the body went out."""


async def _write(request: web.BaseRequest, response: web.StreamResponse, body: bytes | Drawn) -> None:
    """Write a body or a part of one, and count what the system took of it."""
    for piece in pieces(body):
        await response.write(piece)
        request[SENT] = request.get(SENT, 0) + len(piece)


async def send(request: web.BaseRequest, answer: Answer, rule: Rule | None = None) -> web.StreamResponse:
    """Send an answer and return once its last byte was handed to the system."""
    fault = rule.fault if rule else None
    if rule is not None and (fault in BROKEN or fault in SLOW):
        return await _send_badly(request, answer, rule)
    if isinstance(answer.body, Drawn):
        drawn = web.StreamResponse(status=answer.status, headers=answer.headers)
        drawn.content_length = len(answer.body)
        await drawn.prepare(request)
        await _write(request, drawn, answer.body)
        await drawn.write_eof()
        return drawn
    response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    await response.prepare(request)
    await response.write_eof()
    request[SENT] = len(answer.body)
    return response


def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Break the connection so that the caller sees a reset, not an end."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.StreamResponse()


async def _send_badly(request: web.BaseRequest, answer: Answer, rule: Rule) -> web.StreamResponse:
    body, fault = answer.body, rule.fault
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    promised = response.content_length = max(len(body) + (rule.delta if fault is Fault.LENGTH else 0), 0)
    await response.prepare(request)
    cut = len(body) if fault is Fault.LENGTH else int(len(body) * rule.share)
    if fault is Fault.DRIP:
        step = max(len(body) // PIECES, 1)
        for start in range(0, len(body), step):
            await _write(request, response, body[start : start + step])
            await asyncio.sleep(rule.seconds / PIECES)
        await response.write_eof()
        return response
    # What is beyond the promise goes out with its last byte, so that it is there when that is read.
    told = cut if promised >= cut else max(promised - 1, 0)
    await _write(request, response, body[:told])
    if fault is Fault.STALL:
        await asyncio.sleep(rule.seconds)
        await _write(request, response, body[cut:])
        await response.write_eof()
    elif request.transport is not None:
        rest = body[told:cut]  # past the response, which holds back what it did not promise
        for block in [rest] if isinstance(rest, bytes) else rest.blocks():
            request.transport.write(block)
        request.transport.close()
    return response
