// Sorts the verdicts, and opens every table for paper. The page is whole without it.
"use strict";
(() => {
  const cards = document.querySelector(".cards");
  const sort = document.querySelector(".sort");
  if (cards && sort && cards.children.length > 1) {
    sort.hidden = false;
    const value = (card, key) => Number(card.dataset[key]);
    const rows = document.querySelector(".overview tbody");
    const orders = {
      plan: (one, two) => value(one, "place") - value(two, "place"),
      strength: (one, two) => value(two, "strength") - value(one, "strength"),
    };
    sort.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      for (const other of sort.querySelectorAll("button")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      for (const part of rows ? [cards, rows] : [cards]) {
        part.append(...[...part.children].sort(orders[button.dataset.order]));
      }
    });
  }
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });
})();
