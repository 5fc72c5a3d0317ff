"""Read API over the index of the chain."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["explorer"])
