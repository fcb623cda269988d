// Comfort alone: every page works without it.
"use strict";
(() => {
  // Keys: an element with data-key is clicked, or focused if it is written into, when its key is pressed.
  const typing = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    for (const element of document.querySelectorAll("[data-key]")) {
      // By place on the keyboard as well: with a Cyrillic layout, the key of "a" gives another letter.
      const key = element.dataset.key;
      if (![event.key, event.code].includes(key) && event.code !== `Key${key.toUpperCase()}`) continue;
      event.preventDefault();
      if (typing(element)) element.focus();
      else element.click();
      return;
    }
  });
  // An open menu closes when something else is clicked.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    else if (event.target.method === "post") event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
