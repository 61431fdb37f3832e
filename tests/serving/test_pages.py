"""The pages of documentation: everything they need comes from the service itself."""

from __future__ import annotations

import re

import pytest

from tests.fixtures.processes import Host


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_loads_only_what_the_service_has(serving_host: Host, path: str) -> None:
    """Scripts, styles and icons are local, and each of them is there."""
    page = serving_host.ask("GET", path)
    assert page.status == 200
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page.body.decode())
    assert addresses
    for address in addresses:
        assert "//" not in address
        assert serving_host.ask("GET", f"/{address.lstrip('/')}").status == 200


def test_the_reading_page_forbids_what_its_script_would_fetch(serving_host: Host) -> None:
    """Its bundled script asks for a picture from elsewhere; the page's policy says no."""
    policy = serving_host.ask("GET", "/redoc").headers["content-security-policy"]
    assert "img-src 'self' data:" in policy
    assert "default-src 'self'" in policy
