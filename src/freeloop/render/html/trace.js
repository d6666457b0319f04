// Walks through the recorded request. The page tells all of it in its table without this script.
"use strict";
(() => {
  const { stops, pending } = JSON.parse(document.getElementById("data").textContent);
  if (!stops.length) return;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const walk = one(".walk");
  const slider = one("#slider");
  const picture = one(".lanes");
  const cursor = one(".cursor");
  const say = one(".say");
  const rows = all(".rows tbody tr");
  const files = all(".file");
  const lanes = new Map(all(".lane").map((lane) => [Number(lane.dataset.lane), lane]));
  const lines = new Map();
  for (const file of files) {
    for (const line of file.querySelectorAll(".source")) {
      lines.set(`${file.dataset.file}:${line.dataset.line}`, line);
    }
  }
  const marked = [];
  let now = 0;

  const mark = (element) => {
    element?.classList.add("current");
    if (element) marked.push(element);
  };

  // Scrolls inside a box only: the page itself stays where the reader put it.
  const reveal = (box, part, covered) => {
    const top = part.getBoundingClientRect().top - box.getBoundingClientRect().top;
    const free = box.clientHeight - part.offsetHeight;
    if (top < covered + 4 || top > free - 4) box.scrollTop += top - covered - (free - covered) / 3;
  };

  const showSource = (stop) => {
    const [file, line, name] = stop.place;
    const elsewhere = one(".elsewhere");
    elsewhere.hidden = file !== null || !name;
    elsewhere.textContent = name ? `Now in ${name}, line ${line}: not the project's own code.` : "";
    if (file !== null) for (const each of files) each.hidden = Number(each.dataset.file) !== file;
    for (const each of all(".pending:not(:empty)")) each.textContent = "";
    for (const [start, end, where, at, words] of pending) {
      const shown = start <= stop.at && stop.at < end && lines.get(`${where}:${at}`);
      if (!shown) continue;
      const note = shown.querySelector(".pending");
      note.textContent = note.textContent ? `${note.textContent}; ${words}` : words;
    }
    const current = lines.get(`${file}:${line}`);
    mark(current);
    if (current) reveal(current.parentElement, current, 0);
  };

  const showVariables = (stop, index) => {
    const known = new Map();
    for (const [place, each] of stops.slice(0, index + 1).entries()) {
      for (const [frame, name, shown, change] of each.news) {
        if (frame !== stop.frame) continue;
        const before = known.get(name)?.shown ?? "";
        if (change === "gone" && place < index) known.delete(name);
        else known.set(name, { shown: change === "gone" ? "" : shown, before: change === "new" ? "" : before,
          change: place === index ? change : "" });
      }
    }
    one(".variables .none").hidden = known.size > 0;
    one(".variables .scroll").hidden = known.size === 0;
    one(".variables .frame").textContent = known.size && stop.place[2] ? `of ${stop.place[2]}` : "";
    one(".variables tbody").replaceChildren(...[...known].map(([name, value]) => {
      const row = document.createElement("tr");
      if (value.change) row.className = value.change;
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      row.append(head);
      for (const text of [value.shown, value.before, value.change]) {
        row.insertCell().textContent = text;
      }
      return row;
    }));
  };

  const go = (index) => {
    now = Math.max(0, Math.min(stops.length - 1, index));
    const stop = stops[now];
    for (const element of marked.splice(0)) element.classList.remove("current");
    slider.value = String(now + 1);
    const where = `${stop.label}, ${(stop.at / 1e6).toFixed(2)} ms`;
    slider.setAttribute("aria-valuetext", where);
    cursor.setAttribute("x", stop.x);
    one(".count").textContent = `Step ${where}`;
    say.textContent = stop.say;
    one(".now").classList.toggle("stalls", rows[now].classList.contains("stalls"));
    mark(lanes.get(stop.lane));
    mark(rows[now]);
    reveal(one(".rows"), rows[now], one(".rows thead").offsetHeight);
    showSource(stop);
    showVariables(stop, now);
  };

  const wait = () => {
    const found = stops.findIndex((stop, index) => index > now && stop.wait);
    go(found < 0 ? now : found);
  };
  const moves = {
    first: () => go(0), before: () => go(now - 1), next: () => go(now + 1), wait,
    view: (button) => follow(`#step-${button.dataset.step}`), last: () => go(stops.length - 1),
  };
  const keys = { ArrowLeft: "before", ArrowRight: "next", n: "wait", N: "wait", Home: "first", End: "last" };

  walk.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-go]");
    if (button) moves[button.dataset.go](button);
  });
  slider.addEventListener("input", () => go(Number(slider.value) - 1));
  // A letter alone acts only inside the walk (WCAG 2.1.4); arrows start it from anywhere.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
    const idle = document.activeElement === document.body;
    const arrow = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (!(idle && arrow) && !walk.contains(document.activeElement)) return;
    event.preventDefault();
    if (idle) {
      walk.scrollIntoView({ block: "start" });
      slider.focus({ preventScroll: true });
    }
    moves[keys[event.key]]();
  });
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width) * 100;
    const away = stops.map((stop) => Math.abs(parseFloat(stop.x) - share));
    go(away.indexOf(Math.min(...away)));
  });
  const follow = (hash) => {
    const found = stops.findIndex((stop) => hash === `#step-${stop.label}`);
    if (found >= 0) go(found);
    return found >= 0;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#step-']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !follow(link.getAttribute("href"))) return;
    event.preventDefault();
    history.replaceState(null, "", link.getAttribute("href"));
    walk.scrollIntoView({ block: "start" });
    slider.focus({ preventScroll: true });
  });

  // Half a word tells nothing: where the long words do not fit, the short ones, or none.
  const words = all(".fitted text").map((text) => [text, [text.textContent, text.dataset.short]]);
  const fit = () => {
    for (const [text, choices] of words) {
      const room = (parseFloat(text.parentElement.getAttribute("width")) / 100) * picture.clientWidth - 4;
      const fits = (choice) => {
        text.textContent = choice;
        return choice && text.getComputedTextLength() <= room;
      };
      if (!choices.some(fits)) text.textContent = "";
    }
    const taken = [];
    for (const time of all(".time")) {
      const { left, right } = time.getBoundingClientRect();
      const free = taken.every((other) => right + 4 < other.left || left - 4 > other.right);
      time.style.visibility = free ? "" : "hidden";
      if (free) taken.push({ left, right });
    }
  };
  for (const part of all(".controls, .slide, .now, .variables")) part.hidden = false;
  new ResizeObserver(fit).observe(picture);
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });
  if (!follow(location.hash)) go(0);
})();
