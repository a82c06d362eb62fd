"""The pages of `plot`, as a browser shows them."""

import aezip
import browser
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    browser.find() is None, reason="there is no Chromium: pages are not opened (apt-get install chromium)"
)

#: How many dots of the canvas have the colour of group ``k``, or one mixed from it and white.
COUNT = """(() => {
  const dots = pen.getImageData(0, 0, canvas.width, canvas.height).data, own_ = own[%d];
  const [r, g, b] = [1, 3, 5].map(i => parseInt(own_.slice(i, i + 2), 16));
  let count = 0;
  for (let i = 0; i < dots.length; i += 4)
    if (dots[i + 3] > 150 && Math.abs(dots[i] - r) + Math.abs(dots[i + 1] - g) + Math.abs(dots[i + 2] - b) < 30) count++;
  return count;
})()"""
#: Where a point lies in the window.
PLACE = """(() => {
  const box = canvas.getBoundingClientRect();
  return [box.left + x[%d] * box.width / canvas.width, box.top + y[%d] * box.height / canvas.height];
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser.page(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def points(dim):
    """Three groups of points, far from each other, and the group of each."""
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    return rng.normal(size=(90, dim)) * 0.5 + 6 * np.eye(3, dim)[labels], labels


def shown(page, tmp_path, picture):
    file = tmp_path / "page.html"
    picture.save(file)
    page.events.clear()
    page.open(file.as_uri())
    return file


@pytest.mark.parametrize("dim", [2, 3])
def test_points_are_drawn_named_and_moved(page, tmp_path, dim):
    x, labels = points(dim)
    file = shown(page, tmp_path, aezip.plot(x, color_by=labels, dim=dim, to="html", title="three <groups>"))
    assert page.evaluate("document.querySelector('h1').textContent") == "three <groups>"
    for group in range(3):
        # A point has 8 x 8 dots, and hides others now and then.
        assert 500 < page.evaluate(COUNT % group) <= 30 * 81

    for row in [0, 40, 89]:
        page.mouse("mouseMoved", *page.evaluate(PLACE % (row, row)))
        assert page.evaluate("note.style.display") == "block"
        # Another may lie on top of it.
        named = page.evaluate("note.textContent")
        i = int(named.split()[1].strip(","))
        there, asked = (np.array(page.evaluate(PLACE % (k, k))) for k in (i, row))
        assert named.startswith(f"row {i}, {labels[i]} (") and abs(there - asked).max() < 8
    box = page.evaluate("(b => [b.left, b.top])(canvas.getBoundingClientRect())")
    page.mouse("mouseMoved", box[0] + 3, box[1] + 3)
    assert page.evaluate("note.style.display") == "none"

    before = page.evaluate("[x[0], y[0], x[1], y[1]]")
    page.drag((300, 300), (380, 340))
    after = page.evaluate("[x[0], y[0], x[1], y[1]]")
    moved = np.subtract(after, before)
    assert abs(moved).max() > 20
    # On a plane all points go the same way, in space they turn.
    assert (abs(moved[:2] - moved[2:]).max() < 1e-2) == (dim == 2)
    page.mouse("mouseWheel", 300, 300, deltaX=0, deltaY=-300)
    assert abs(np.subtract(page.evaluate("[x[0], y[0], x[1], y[1]]"), after)).max() > 5
    # A label hides its points, a double click brings back all.
    page.evaluate("legend.children[1].click()")
    page.wait()
    assert page.evaluate(COUNT % 1) == 0 < page.evaluate(COUNT % 2)
    page.evaluate("canvas.dispatchEvent(new MouseEvent('dblclick'))")
    page.wait()
    assert np.allclose(page.evaluate("[x[0], y[0], x[1], y[1]]"), before)
    assert page.evaluate(COUNT % 1) > 500
    assert page.requests() == [file.as_uri()] and page.errors() == []


def test_pictures_are_zoomed(page, tmp_path):
    found = aezip.compare(np.sin(np.arange(3000.0)).reshape(300, 10), levels=[1])
    file = shown(page, tmp_path, found.plot("rates", to="html"))
    assert page.evaluate("document.querySelectorAll('svg circle').length") == 3
    box = "document.querySelector('svg').getAttribute('viewBox')"
    first = page.evaluate(box)
    page.mouse("mouseWheel", 300, 300, deltaX=0, deltaY=-200)
    zoomed = page.evaluate(box)
    assert float(zoomed.split()[2]) < float(first.split()[2])
    page.drag((300, 300), (340, 340))
    assert page.evaluate(box) != zoomed
    assert page.requests() == [file.as_uri()] and page.errors() == []


def test_what_notebooks_show_is_a_page_that_works(page, tmp_path):
    x, labels = points(3)
    picture = aezip.plot(x, color_by=labels, dim=3, to="html")
    file = tmp_path / "notebook.html"
    file.write_text(f"<!DOCTYPE html><body>{picture._repr_html_()}</body>")
    page.events.clear()
    page.open(file.as_uri())
    sent = page.requests()
    assert len(sent) == 2 and sent[1].startswith("data:text/html") and page.errors() == []
