"""The surfaces that all widgets are tested on are what they claim to be."""

import pytest

pytestmark = pytest.mark.browser

CELL = """
import ipywidgets
button = ipywidgets.Button(description="Count")
text = ipywidgets.Label(value="0")
button.on_click(lambda _: setattr(text, "value", str(int(text.value) + 1)))
ipywidgets.VBox([button, text])
"""


@pytest.mark.parametrize(("surface", "version"), [("lab", "8"), ("voila", "8"), ("colab", "7.7.1")])
def test_a_click_reaches_the_kernel_and_its_answer_the_page(open_notebook, surface, version):
    notebook = open_notebook([CELL], surface)
    assert notebook.ask("print(ipywidgets.__version__)").startswith(version)
    for _ in range(2):
        notebook.wait_for("button:has-text('Count')").click()
    notebook.wait_for(".widget-label:has-text('2')")
    assert notebook.ask("print(text.value)") == "2"
