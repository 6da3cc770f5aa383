"""The report in a real browser, where one is installed."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from evonas.report import write_report
from evonas.runs.run import Run

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    pytest.importorskip("plotly")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


def visit(browser, path: Path, **options: object) -> None:
    with Run.open(path) as run:
        file = write_report(run)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(file.resolve().as_uri())
    wait(browser, "return document.documentElement.dataset.ready === 'true'")


def wait(browser, script: str, seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not browser.execute_script(script):
        assert time.monotonic() < end, f"never came true: {script}"
        time.sleep(0.05)


def drawn(browser, chart: str) -> dict:
    return json.loads(
        browser.execute_script(
            "const c = document.getElementById(arguments[0]);"
            "return JSON.stringify({names: c.data.map(t => t.name), sizes: c.data.map(t => t.x.length),"
            " x: c.layout.xaxis.title.text, y: c.layout.yaxis.title.text,"
            " paths: c.querySelectorAll('.scatterlayer path').length});",
            chart,
        )
    )


def messages(browser) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser")]


def test_it_loads_without_errors_and_without_the_network(browser, make_run):
    visit(browser, make_run(objectives=("acc", "flops", "latency"), n=200))
    assert messages(browser) == []
    asked = [
        json.loads(entry["message"])["message"]["params"]["request"]["url"]
        for entry in browser.get_log("performance")
        if '"Network.requestWillBeSent"' in entry["message"]
    ]
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    for chart in ("front", "parallel", "progress", "supernet", "forgetting", "truth0"):
        assert drawn(browser, chart)["paths"] > 0, chart


def test_axes_switch(browser, make_run):
    visit(browser, make_run(objectives=("acc", "flops", "latency")))
    assert drawn(browser, "front")["x"].startswith("flops")
    menu = browser.find_element("id", "x")
    menu.send_keys("latency")
    wait(browser, "return document.getElementById('front').layout.xaxis.title.text.startsWith('latency')")
    browser.find_element("id", "swap").click()
    wait(browser, "return document.getElementById('front').layout.yaxis.title.text.startsWith('latency')")
    assert "x=acc" in browser.current_url
    assert messages(browser) == []


def test_a_click_shows_details_and_drawing(browser, make_run):
    path = make_run()
    visit(browser, path)
    browser.execute_script("document.getElementById('front').scrollIntoView({block: 'center', behavior: 'instant'})")
    place, x, y = browser.execute_script(
        """const c = document.getElementById('front'), t = c.data.find(t => t.name === 'front');
        const box = c.getBoundingClientRect(), l = c._fullLayout;
        const left = box.left + l._size.l, top = box.top + l._size.t;
        const at = t.x.map((x, i) => [left + l.xaxis.d2p(x), top + l.yaxis.d2p(t.y[i])]);
        const free = (i) => Math.min(...at.map((p, j) => i === j ? 1e9 : Math.hypot(p[0] - at[i][0], p[1] - at[i][1])));
        const i = at.map((_, i) => i).slice(1, -1).sort((a, b) => free(b) - free(a))[0];
        return [i, ...at[i]];"""
    )
    chains = pytest.importorskip("selenium.webdriver.common.action_chains")
    mouse = chains.ActionChains(browser)
    mouse.w3c_actions.pointer_action.move_to_location(round(x), round(y))
    mouse.perform()
    wait(browser, "return document.querySelectorAll('#front .hovertext').length > 0")
    assert "flops" in browser.find_element("css selector", "#front .hovertext").text
    chains.ActionChains(browser).click().perform()
    wait(browser, f"return document.getElementById('details-title').textContent === 'Member {place}'")
    front = json.loads((path / "front.json").read_text())["members"]
    assert front[place]["architecture"] in browser.find_element("id", "drawing-body").text
    assert browser.find_element("css selector", "#drawing-body svg").size["width"] > 200
    assert f"--select index:{place}" in browser.find_element("id", "details-body").text
    assert messages(browser) == []


def test_it_is_operated_by_keys(browser, make_run):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    visit(browser, make_run())
    button = browser.find_element("css selector", "tr[data-index='4'] button")
    button.send_keys(keys.ENTER)
    wait(browser, "return document.getElementById('details-title').textContent === 'Member 4'")
    browser.find_element("id", "front").send_keys(keys.ARROW_RIGHT)
    wait(browser, "return document.getElementById('details-title').textContent === 'Member 5'")
    browser.find_element("id", "previous").send_keys(keys.ENTER)
    wait(browser, "return document.getElementById('details-title').textContent === 'Member 4'")
    row = browser.find_element("css selector", "tr[data-index='4']")
    assert row.get_attribute("aria-selected") == "true"


def test_the_table_sorts_and_filters(browser, make_run):
    visit(browser, make_run())
    shown = "return [...document.querySelectorAll('#table tbody tr')].filter(r => !r.hidden).map(r => r.dataset.index)"
    every = browser.execute_script(shown)
    browser.find_element("css selector", "#table .sort[data-name='acc']").click()
    browser.find_element("css selector", "#table .sort[data-name='acc']").click()
    assert browser.execute_script(shown) == every[::-1]  # the most accurate first, which is the costliest
    browser.find_element("id", "filter").send_keys("acc>=0.7")
    kept = browser.execute_script(shown)
    assert 0 < len(kept) < len(every)
    assert f"{len(kept)} of {len(every)}" == browser.find_element("id", "filtered").text
    assert messages(browser) == []


def test_every_member_is_drawn_in_the_gallery(browser, make_run):
    path = make_run(space="mobilenet_v3")
    visit(browser, path)
    browser.find_element("css selector", "#gallery summary").click()
    members = len(json.loads((path / "front.json").read_text())["members"])
    wait(browser, f"return document.querySelectorAll('#gallery figure svg').length === {members}")
    assert messages(browser) == []


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_scrolls_down_alone(browser, make_run, width):
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        visit(browser, make_run(objectives=("acc", "flops", "latency")))
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_dark_is_dark(browser, make_run):
    visit(browser, make_run())
    light = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    wanted = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
    try:
        ink = "return document.getElementById('front').layout.font.color"
        wait(browser, f"{ink} !== '#1f2733'")
        dark = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert light != dark
        assert dark == "rgb(13, 17, 23)"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_hostile_texts_do_nothing(browser, make_run):
    hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    path = make_run()
    with Run.open(path, write=True) as run:
        front = json.loads((path / "front.json").read_text())
        for member in front["members"]:
            member["architecture"] += hostile
            member["known"][hostile] = 1.0
        run.write("front.json", json.dumps(front))
    visit(browser, path)
    browser.execute_script("document.querySelector('#gallery').open = true")
    assert "owned" not in browser.title
    assert browser.execute_script("return document.querySelectorAll('main img').length") == 0
    assert hostile in browser.find_element("id", "drawing-body").text
    assert messages(browser) == []


def test_a_running_search_keeps_what_was_chosen_when_it_loads_anew(browser, make_run):
    visit(browser, make_run(objectives=("acc", "flops", "latency"), ended=False))
    browser.find_element("id", "pause").click()
    assert "under way" in browser.find_element("id", "live-text").text
    browser.find_element("id", "x").send_keys("latency")
    browser.find_element("css selector", "tr[data-index='3'] button").click()
    wait(browser, "return document.getElementById('details-title').textContent === 'Member 3'")
    browser.refresh()
    wait(browser, "return document.documentElement.dataset.ready === 'true'")
    assert browser.find_element("id", "details-title").text == "Member 3"
    assert drawn(browser, "front")["x"].startswith("latency")
    assert browser.find_element("id", "pause").is_selected()
