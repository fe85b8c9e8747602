"""Makes the pictures of the pages in docs/: python -m tests.demo.screenshots [DIRECTORY].

Starts a stack of its own, sends it three bursts, and looks at it with the installed chromium.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.stack import Stack

_BURSTS = ("--requests", "60000", "--bursts", "3", "--pause", "25", "--seed", "1")
_WIDE: ViewportSize = {"width": 1280, "height": 860}
_PHONE: ViewportSize = {"width": 390, "height": 844}


def _shoot(browser: Browser, stack: Stack, directory: Path) -> None:
    """The live page in light and during a burst, a transaction in dark, and a phone."""
    context = browser.new_context(viewport=_WIDE)
    page = context.new_page()
    page.goto(stack.url)
    command = [sys.executable, "-m", "minequeue", "burst", stack.url, *_BURSTS]
    with subprocess.Popen(command, env=stack.environment, stdout=subprocess.DEVNULL) as burst:
        assert burst.wait() == 0
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("button", name="Mine a block").click()
    page.locator(".receipts .done").nth(1).wait_for(timeout=60_000)
    page.screenshot(path=directory / "page.png", full_page=True)
    context.close()
    chain = stack.get("/chain").json()["chain"]
    block = max(chain, key=lambda each: len(each["transactions"]))
    for name, path, context in (
        (
            "page-transaction.png",
            f"/tx/{block['transactions'][12]['id']}",
            browser.new_context(viewport=_WIDE, color_scheme="dark"),
        ),
        (
            "page-phone.png",
            "/",
            browser.new_context(viewport=_PHONE, is_mobile=True, device_scale_factor=1),
        ),
    ):
        page = context.new_page()
        page.goto(f"{stack.url}{path}")
        page.locator(".proven, polyline").first.wait_for(state="attached")
        page.screenshot(path=directory / name, full_page=name != "page-phone.png")
        context.close()


def main() -> None:
    """Make them."""
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        stack = Stack(Path(scratch, "data"), bits="20", block_interval="2").start()
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        try:
            _shoot(browser, stack, directory)
        finally:
            browser.close()
            stack.stop()


if __name__ == "__main__":
    main()
