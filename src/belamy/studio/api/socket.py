"""`/api/live`: one WebSocket, JSON for what happens and binary frames of what is being made."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from belamy.studio.api.live import Tab
from belamy.studio.api.studio import Studio
from belamy.studio.catalog.forms import ID

__all__ = ["router"]

router = APIRouter()

_ID = re.compile(ID)
_CROWDED = 1013  # try again later


@router.websocket("/api/live")
async def live(socket: WebSocket) -> None:
    """What all tabs are told; a tab says which job's frames it wants: {type: "watch", job}."""
    studio: Studio = socket.app.state.studio
    await socket.accept()
    if len(studio.hub) >= studio.settings.limits.tabs:
        await socket.close(_CROWDED)
        return
    tab = studio.hub.open()
    sending = asyncio.create_task(_send(socket, tab))
    try:
        await _receive(socket, tab)
    except (WebSocketDisconnect, RuntimeError, ValueError, KeyError):
        pass  # gone, or speaking another language
    finally:
        studio.hub.close(tab)
        sending.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sending
        with suppress(RuntimeError, WebSocketDisconnect):
            await socket.close()


async def _send(socket: WebSocket, tab: Tab) -> None:
    while True:
        news = await tab.next()
        if isinstance(news, str):
            await socket.send_text(news)
        else:
            await socket.send_bytes(news)


async def _receive(socket: WebSocket, tab: Tab) -> None:
    while True:
        said = json.loads(await socket.receive_text())
        if said["type"] == "watch":
            job = said.get("job")
            if job is None or (isinstance(job, str) and _ID.fullmatch(job)):
                tab.watch(job)
