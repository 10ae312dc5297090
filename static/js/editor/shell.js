// The frame of an editor: a list of the document's parts on the left, the chosen one's form on the right, and above them what
// was saved, undo and save. The document stands in the page's text areas, which are the form without scripts; what `start`
// is given builds lists and buttons over them, and the same is saved.

import { button, h, iconButton } from "./dom.js";
import { ask } from "./server.js";
import { ed, say, t } from "./state.js";
import { byPart, showProblems, showWords } from "./words.js";

const PAUSE = 400; // ms without typing before the server is asked

const form = document.querySelector("[data-editor-form]");
const plain = form.querySelector("[data-plain]");
const place = form.querySelector("[data-editor]");
ed.catalogue = JSON.parse(document.getElementById("editor-catalogue").textContent);

// What `start` was given. kinds: lists of parts, each with its title, add (makes one, returns its place), adds, form (of one, by
// its place), symbol, and where they differ up and down ([name, by]), copy (what makes a copy), held (why it cannot go, or ""),
// id (its name in the address), note (what the list says below its name). settings: parts there is one of. names: texts.
let kinds = {};
let settings = {};
let names = {};
let saved = ""; // the document as the server has it
let problems = [];
let waiting;
let asked = 0;
const past = []; // documents to come back to
let list;
let pane;
let state;
let save;
let undo;
let openParts;

// --- The page --------------------------------------------------------------------------------------

function build() {
  list = h("nav", { class: "pp-ed-parts", "aria-label": names.parts, id: "pp-ed-parts" });
  pane = h("div", { class: "pp-ed-pane", tabindex: "-1" });
  state = h("p", { class: "pp-ed-state", role: "status" });
  save = button(names.save, keep, { kind: "main", at: "save" });
  undo = button(t("Undo"), back, { symbol: "undo", at: "undo" });
  openParts = h("button", {
    type: "button", class: "pp-ed-button pp-ed-parts-button", "aria-expanded": "false", "aria-controls": "pp-ed-parts",
    on: { click: () => toggleParts(!form.classList.contains("pp-ed--parts")) },
  }, t("Parts"));
}

function toggleParts(open) {
  form.classList.toggle("pp-ed--parts", open);
  openParts.setAttribute("aria-expanded", String(open));
}

function nameOf(one) {
  return say(one.name) || one.code || one.key || t("Without a name");
}

function drawList() {
  const counted = byPart(problems);
  const entry = (kind, index, name, mark, part, note) => {
    const current = ed.shown.kind === kind && (index === undefined || ed.shown.index === index);
    const many = counted[part];
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "pp-ed-part", "aria-current": current ? "true" : undefined, "data-at": `part.${part}`, on: { click: () => show(kind, index ?? 0) } },
        mark,
        h("span", { class: "pp-ed-part__name" }, name, note ? h("span", { class: "pp-ed-part__note" }, note) : null),
        many ? h("span", { class: "pp-ed-badge", title: t("To mend: {count}", { count: many }) }, String(many)) : null,
      ),
    );
  };
  const dot = (color) => {
    const shape = h("span", { class: "pp-ed-dot", "aria-hidden": "true" });
    shape.style.backgroundColor = color;
    return shape;
  };
  const symbol = (name) => h("span", { class: "material-symbols-outlined pp-ed-icon", "aria-hidden": "true" }, name);
  const focused = document.activeElement?.dataset?.at;
  list.replaceChildren(
    ...Object.entries(kinds).map(([kind, { title, add, adds, symbol: sign, note }]) =>
      h(
        "div",
        { class: "pp-ed-section" },
        h("h2", { class: "pp-ed-section__title" }, title),
        problems.filter((one) => one.path === kind).map((one) => h("p", { class: "pp-ed-problem" }, one.says)),
        h("ul", {}, ed.doc[kind].map((one, index) => entry(kind, index, nameOf(one), one.color ? dot(one.color) : symbol(sign), `${kind}[${index}]`, note?.(one)))),
        button(adds, () => show(kind, add(), { changed: true }), { symbol: "add", at: `${kind}.add`, kind: "quiet" }),
      ),
    ),
    Object.keys(settings).length
      ? h(
          "div",
          { class: "pp-ed-section" },
          h("h2", { class: "pp-ed-section__title" }, names.whole),
          h("ul", {}, Object.entries(settings).map(([kind, { title, icon }]) => entry(kind, undefined, title, symbol(icon), kind))),
        )
      : "",
  );
  if (focused) list.querySelector(`[data-at="${CSS.escape(focused)}"]`)?.focus();
}

function drawPane() {
  const { kind, index } = ed.shown;
  const focused = document.activeElement?.closest?.(".pp-ed-pane") ? document.activeElement.dataset.at : undefined;
  ed.checked = () => {};
  if (kinds[kind]) {
    const one = ed.doc[kind][index];
    pane.replaceChildren(...(one ? [title(kind, index, one), ...kinds[kind].form(index).flat()].filter(Boolean) : [h("p", { class: "pp-muted" }, t("Choose a part, or add one."))]));
  } else {
    pane.replaceChildren(h("div", { class: "pp-ed-title" }, h("h2", { class: "pp-heading" }, settings[kind].title)), ...[settings[kind].form()].flat());
  }
  showProblems(pane, problems);
  if (focused) pane.querySelector(`[data-at="${CSS.escape(focused)}"]`)?.focus();
}

/** The heading of a part, with what moves it, copies it and takes it away. */
function title(kind, index, one) {
  const items = ed.doc[kind];
  const move = (by) => {
    [items[index], items[index + by]] = [items[index + by], items[index]];
    ed.shown.index += by;
    ed.redraw();
  };
  const { copy, held = () => "", up = [t("Move up"), -1], down = [t("Move down"), 1] } = kinds[kind];
  const why = held(one);
  const remove = () => {
    items.splice(index, 1);
    ed.shown.index = Math.max(0, Math.min(index, items.length - 1));
    ed.redraw();
    pane.focus();
  };
  const can = (by) => items[index + by] !== undefined;
  return h(
    "div",
    { class: "pp-ed-title" },
    h("h2", { class: "pp-heading", "data-title": "" }, nameOf(one)),
    h(
      "div",
      { class: "pp-ed-tools" },
      iconButton("arrow_upward", up[0], () => move(up[1]), { at: "part.up", disabled: !can(up[1]) }),
      iconButton("arrow_downward", down[0], () => move(down[1]), { at: "part.down", disabled: !can(down[1]) }),
      copy ? iconButton("content_copy", t("Duplicate"), () => { copy(index); show(kind, index + 1, { changed: true }); }, { at: "part.copy" }) : null,
      iconButton("delete", why || t("Remove"), remove, { at: "part.remove", danger: true, disabled: Boolean(why) }),
    ),
  );
}

const idOf = (kind, one) => (kinds[kind].id ?? (() => one.code ?? one.key))(one);

/** Show one part; `changed`: it was just made. */
export function show(kind, index, { changed = false } = {}) {
  ed.shown = { kind, index };
  toggleParts(false);
  if (changed) ed.redraw();
  else {
    drawList();
    drawPane();
    later(0);
  }
  const one = ed.doc[kind]?.[index];
  history.replaceState(null, "", `#${kind}${kinds[kind] && one ? `/${idOf(kind, one)}` : ""}`);
  pane.scrollIntoView({ block: "nearest" });
  pane.focus({ preventScroll: true });
}

/** The part that the address names: "#tiers/level-2". */
function fromAddress() {
  const [kind, ...rest] = decodeURIComponent(window.location.hash.slice(1)).split("/");
  if (settings[kind]) return { kind, index: 0 };
  if (!kinds[kind]) return { kind: Object.keys(kinds)[0], index: 0 };
  return { kind, index: Math.max(0, ed.doc[kind].findIndex((one) => idOf(kind, one) === rest.join("/"))) };
}

// --- Changing --------------------------------------------------------------------------------------

const text = () => JSON.stringify(ed.doc);

function remember() {
  const now = text();
  if (past.at(-1) !== now) past.push(now);
  if (past.length > 100) past.shift();
}

ed.touch = () => {
  tell();
  drawList();
  const heading = pane.querySelector("[data-title]");
  if (heading) heading.textContent = nameOf(ed.doc[ed.shown.kind][ed.shown.index]);
  later(PAUSE);
};

ed.redraw = () => {
  remember();
  tell();
  drawList();
  drawPane();
  later(0);
};

function back() {
  const now = text();
  while (past.length && past.at(-1) === now) past.pop();
  if (!past.length) return;
  ed.doc = JSON.parse(past.at(-1));
  const items = ed.doc[ed.shown.kind];
  if (Array.isArray(items)) ed.shown.index = Math.max(0, Math.min(ed.shown.index, items.length - 1));
  tell();
  drawList();
  drawPane();
  later(0);
}

const isChanged = () => text() !== saved;

function tell(said) {
  undo.disabled = !past.some((one) => one !== text());
  save.disabled = !isChanged();
  state.className = "pp-ed-state";
  if (said) state.textContent = said;
  else if (isChanged()) state.textContent = t("Not saved yet");
  else state.textContent = problems.length ? names.toMend(problems.length) : t("Saved");
}

// --- The server ------------------------------------------------------------------------------------

function later(pause) {
  clearTimeout(waiting);
  waiting = setTimeout(preview, pause);
}

/** Ask for the sentences of the part that is shown, and for what is wrong anywhere. */
async function preview() {
  remember();
  asked += 1;
  const mine = asked;
  const shown = ed.shown.kind in kinds ? `${ed.shown.kind}[${ed.shown.index}]` : ed.shown.kind;
  const answer = await ask("words", { document: ed.doc, shown });
  if (mine !== asked) return;
  if (answer.problem) {
    tell(answer.problem);
    return;
  }
  problems = answer.problems;
  showWords(pane, answer.words);
  showProblems(pane, problems);
  drawList();
  tell();
  ed.checked();
}

async function keep() {
  const sent = text();
  tell(t("Saving…"));
  const answer = await ask("save", { document: ed.doc, seen: form.elements.seen.value });
  if (answer.problems) problems = answer.problems;
  if (answer.seen) {
    form.elements.seen.value = answer.seen;
    saved = sent;
  }
  drawList();
  showProblems(pane, problems);
  tell(answer.says ?? answer.problem);
  if (!answer.seen) state.classList.add("pp-ed-state--bad");
}

window.addEventListener("beforeunload", (event) => {
  if (isChanged()) event.preventDefault();
});
window.addEventListener("hashchange", () => {
  ed.shown = fromAddress();
  drawList();
  drawPane();
  later(0);
});
form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    event.preventDefault();
    if (isChanged()) keep();
  }
});

/** Build the editor. `empty` is the document of nothing, by its parts. */
export function start(given) {
  ({ kinds, settings = {}, names } = given);
  for (const [key, empty] of Object.entries(given.empty)) {
    const box = form.elements[key];
    ed.doc[key] = box?.value ? JSON.parse(box.value) : empty;
  }
  build();
  saved = text();
  remember();
  ed.shown = fromAddress();
  plain.remove();
  place.hidden = false;
  place.replaceChildren(
    h("div", { class: "pp-ed-bar" }, openParts, state, h("div", { class: "pp-ed-actions" }, undo, save)),
    h("div", { class: "pp-ed-columns" }, list, pane),
  );
  tell();
  drawList();
  drawPane();
  later(0);
}
