"""What each layer and each channel of a network likes, as small pictures."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import FileResponse, JSONResponse
from starlette.responses import Response

from belamy.networks.layer_tables import Layer
from belamy.studio.api.errors import Problem
from belamy.studio.api.shapes import ErrorAnswer
from belamy.studio.api.studio import Here, Studio
from belamy.studio.catalog.layers import TITLES, drawn_thumb, layers_of

__all__ = ["router"]

router = APIRouter(prefix="/api/layers", tags=["layers"])

NetworkName = Annotated[str, Path(max_length=80, pattern=r"^\w+$")]
LayerName = Annotated[str, Path(max_length=80, pattern=r"^\w+$")]
Channel = Annotated[int, Path(ge=0, le=100_000)]

_PAGE = 24  # channels
_WEEK = {"Cache-Control": "private, max-age=604800"}
_CODES: dict[int | str, dict[str, Any]] = {
    202: {"description": "it is being drawn; ask again"},
    404: {"model": ErrorAnswer},
    409: {"model": ErrorAnswer},
}


@router.get("/{model}")
async def layers(model: NetworkName) -> list[dict[str, Any]]:
    """The layers, from grain to herds: how many pixels of the picture one place of each sees."""
    titles = TITLES.get(model, {})
    return [
        {
            "layer": layer.name,
            "title": dict(zip(("en", "it"), titles[layer.name], strict=True))
            if layer.name in titles
            else None,
            "field": layer.receptive_field,
            "channels": layer.channels,
            "thumb": f"/api/layers/{model}/{layer.name}/thumb",
        }
        for layer in layers_of(model)
    ]


@router.get("/{model}/{layer}/thumb", responses=_CODES)
async def thumb(studio: Here, model: NetworkName, layer: LayerName) -> Response:
    """What a layer likes."""
    return _show(studio, model, _find(model, layer).name, None)


@router.get("/{model}/{layer}/channels")
async def channels(
    model: NetworkName, layer: LayerName, page: Annotated[int, Query(ge=0, le=10_000)] = 0
) -> list[dict[str, Any]]:
    """A page of its channels, 24 of them."""
    found = _find(model, layer)
    numbers = range(page * _PAGE, min(found.channels, (page + 1) * _PAGE))
    return [
        {"channel": number, "thumb": f"/api/layers/{model}/{layer}/channels/{number}/thumb"}
        for number in numbers
    ]


@router.get("/{model}/{layer}/channels/{channel}/thumb", responses=_CODES)
async def channel_thumb(
    studio: Here, model: NetworkName, layer: LayerName, channel: Channel
) -> Response:
    """What a channel likes."""
    found = _find(model, layer)
    if channel >= found.channels:
        raise Problem(404, f"{layer} has {found.channels} channels, from 0 on")
    return _show(studio, model, found.name, channel)


def _find(model: str, layer: str) -> Layer:
    found = next((one for one in layers_of(model) if one.name == layer), None)
    if found is None:
        raise Problem(404, "there is no such layer")
    return found


def _show(studio: Studio, model: str, layer: str, channel: int | None) -> Response:
    drawn = drawn_thumb(model, layer, channel)
    if drawn is not None:
        return Response(drawn, media_type="image/webp", headers=_WEEK)
    path = studio.thumbs.path(model, layer, channel)
    if path.is_file():
        return FileResponse(path, media_type="image/webp", headers=_WEEK)
    if (cause := studio.thumbs.why_not(path)) is not None:
        raise Problem(409, cause)
    studio.thumbs.wish(model, layer, channel)
    return JSONResponse(
        {"state": "drawing"}, 202, {"Retry-After": "2", "Cache-Control": "no-store"}
    )
