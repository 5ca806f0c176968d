# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELBv2: the identity provider's endpoints are asked over HTTPS only, as AWS demands of them.

The load balancer asks from this machine: plain HTTP would reach what listens on loopback, the local AWS itself first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sm2a_local_aws.patching.points import replaces


@replaces("ministack.services.alb:_oidc_post_form", "67281fb81107")
def post_form(original: Callable[..., Any], url: str, *rest: Any, **more: Any) -> Any:
    """The token endpoint."""
    return original(_https(url), *rest, **more)


@replaces("ministack.services.alb:_oidc_get_userinfo", "de1c067ff2cc")
def get_userinfo(original: Callable[..., Any], url: str, *rest: Any, **more: Any) -> Any:
    """The user info endpoint."""
    return original(_https(url), *rest, **more)


def _https(url: str) -> str:
    if urlsplit(url).scheme != "https":
        raise OSError(f"the identity provider's endpoint {url} is no HTTPS URL")
    return url
