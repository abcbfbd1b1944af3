// Elements in the one look (look.py), for the widgets that draw themselves in the browser.

function make(tag, classes = "", content = "", attributes = {}) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (content) element.textContent = content;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function button(icon, label, act, { text = "", classes = "" } = {}) {
  const bare = text ? "" : "pnb-bare";
  const made = make("button", `jupyter-button pnb-icon pnb-icon-${icon} ${bare} ${classes}`, text, {
    type: "button",
    title: label,
    "aria-label": label,
  });
  made.addEventListener("click", act);
  return made;
}

// Which key it is, whatever Caps Lock and Shift make of a letter.
function keyOf(event) {
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}
