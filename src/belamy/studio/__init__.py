"""The studio: belamy in the browser, and its API.

`belamy studio` starts a server that only this machine reaches. The server itself computes no
picture and imports no torch: worker processes do, one for pictures, one for trainings, one for
lessons, and a small one that decodes what is dropped in.
"""

from __future__ import annotations
