# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a layer of an image, or the file that describes it, can be downloaded: at this machine's own registry.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ecr

from sm2a_local_aws import settings
from sm2a_local_aws.patching.points import replaces


@replaces("ministack.services.ecr:_get_download_url_for_layer", "56e5002b00dc")
def get_download_url_for_layer(original: Callable[[dict[str, Any]], Any], request: dict[str, Any]) -> Any:
    """The address, which nobody has to sign; an error for what was never pushed."""
    status, headers, body = original(request)
    if status != 200:
        return status, headers, body
    name, digest = request["repositoryName"], json.loads(body)["layerDigest"]
    if digest not in ecr._layer_blobs.get(name, {}):
        return error_response_json("LayersNotFoundException", f"The layer {digest} does not exist in {name}", 400)
    url = f"http://{settings.LOOPBACK}:{settings.current().port}/v2/{name}/blobs/{digest}"
    return json_response({"downloadUrl": url, "layerDigest": digest})
