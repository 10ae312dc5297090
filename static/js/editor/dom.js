// Elements and controls. A control has `at`, its place in the document: by it the focus comes back after a redraw.

import { ed, shift, t, toDocument } from "./state.js";

let number = 0;

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (["value", "checked", "selected", "disabled", "hidden", "open", "draggable"].includes(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(5).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  return h("span", { class: "material-symbols-outlined pp-ed-icon", "aria-hidden": "true" }, name);
}

/** A button with an icon; `name` is what it does, for who cannot see it and on hover. */
export function iconButton(symbol, name, act, { at, disabled = false, danger = false } = {}) {
  return h(
    "button",
    {
      type: "button", class: `pp-ed-tool${danger ? " pp-ed-tool--danger" : ""}`, "aria-label": name, title: name,
      disabled, "data-at": at, on: { click: act },
    },
    icon(symbol),
  );
}

export function button(name, act, { symbol, at, kind = "" } = {}) {
  return h(
    "button",
    { type: "button", class: `pp-ed-button${kind ? ` pp-ed-button--${kind}` : ""}`, "data-at": at, on: { click: act } },
    symbol ? icon(symbol) : null,
    h("span", {}, name),
  );
}

/** A control with its label above. */
export function field(name, control, { help, wide = false, path } = {}) {
  number += 1;
  const id = `pp-ed-${number}`;
  const target = control.matches("input, select, textarea") ? control : control.querySelector("input, select, textarea");
  if (target) target.id = id;
  if (help && target) target.setAttribute("aria-describedby", `${id}-help`);
  return h(
    "div",
    { class: `pp-ed-field${wide ? " pp-ed-field--wide" : ""}`, "data-path": path },
    h("label", { class: "pp-ed-label", for: id }, name),
    control,
    help ? h("p", { class: "pp-ed-help", id: `${id}-help` }, help) : null,
    path ? h("div", { "data-problems": "" }) : null,
  );
}

export function textBox(value, change, { at, name, placeholder, lang, max, pattern, lazy = false } = {}) {
  return h("input", {
    type: "text", class: "pp-ed-input", value: value ?? "", "data-at": at, "aria-label": name, placeholder, lang,
    maxlength: max, pattern, autocomplete: "off", spellcheck: lang ? "true" : "false",
    on: { [lazy ? "change" : "input"]: (event) => change(event.target.value.trim()) },
  });
}

export function area(value, change, { at, lang } = {}) {
  return h("textarea", {
    class: "pp-ed-input", rows: "2", value: value ?? "", "data-at": at, lang,
    on: { input: (event) => change(event.target.value.trim()) },
  });
}

/** A number as the document writes it. A share is typed in percent. */
export function numberBox(value, change, { at, name, unit, percent = false, whole = false, min, max } = {}) {
  const shown = value === undefined || value === null ? "" : percent ? shift(value, 2) : String(value);
  const input = h("input", {
    type: "number", class: "pp-ed-input pp-ed-input--number", step: whole ? "1" : "any", min, max, value: shown,
    "data-at": at, "aria-label": name && unit ? `${name} (${unit})` : name,
    on: {
      input: (event) => change(toDocument(percent ? shift(event.target.value, -2) : event.target.value)),
      wheel: (event) => event.target.blur(), // scrolling the page changes no number
    },
  });
  return unit ? h("span", { class: "pp-ed-unit" }, input, h("span", { "aria-hidden": "true" }, unit)) : input;
}

export function dayBox(value, change, { at, name, min } = {}) {
  return h("input", {
    type: "date", class: "pp-ed-input", value: value ?? "", min, "data-at": at, "aria-label": name,
    on: { change: (event) => change(event.target.value) },
  });
}

/** `options` are [value, label], or {label, options} for a group of them. */
export function selectBox(value, options, change, { at, name, empty } = {}) {
  const known = options.some((one) => (one.options ?? [one]).some(([key]) => key === value));
  const option = ([key, text]) => h("option", { value: key, selected: key === value }, text);
  return h(
    "select",
    { class: "pp-ed-input", "data-at": at, "aria-label": name, on: { change: (event) => change(event.target.value) } },
    empty !== undefined || !known ? h("option", { value: "", selected: !known }, value && !known ? value : (empty ?? t("Choose…"))) : null,
    options.map((one) => (one.options ? h("optgroup", { label: one.label }, one.options.map(option)) : option(one))),
  );
}

export function check(name, value, change, { at, help } = {}) {
  return h(
    "label",
    { class: "pp-ed-check" },
    h("input", { type: "checkbox", checked: Boolean(value), "data-at": at, on: { change: (event) => change(event.target.checked) } }),
    h("span", {}, name, help ? h("span", { class: "pp-ed-help" }, help) : null),
  );
}

/** Several values: chosen from `choices`, or typed where there are none. */
export function several(values, change, { at, name, choices, clean = (text) => text } = {}) {
  const set = (next) => {
    change(next);
    ed.redraw();
  };
  const chip = (one, index) =>
    h(
      "span",
      { class: "pp-ed-chip" },
      choices ? (choices.find(([key]) => key === one)?.[1] ?? String(one)) : String(one),
      iconButton("close", t("Take “{name}” out", { name: String(one) }), () => set(values.filter((_one, other) => other !== index))),
    );
  const add = (text) => {
    const plain = clean(text.trim());
    if (plain !== "" && !values.includes(plain)) set([...values, plain]);
  };
  const left = choices?.filter(([key]) => !values.includes(key)) ?? [];
  const adder = choices
    ? selectBox("", left, add, { at: `${at}+`, name: t("Add to: {name}", { name }), empty: t("Add…") })
    : h("input", {
        type: "text", class: "pp-ed-input", placeholder: t("Type and press Enter"), "aria-label": t("Add to: {name}", { name }),
        "data-at": `${at}+`,
        on: {
          change: (event) => add(event.target.value),
          keydown: (event) => {
            if (event.key === "Enter" || event.key === ",") {
              event.preventDefault();
              add(event.target.value);
            }
          },
        },
      });
  return h("div", { class: "pp-ed-several", role: "group", "aria-label": name }, values.map(chip), adder);
}

/** A text in each language of the site. */
export function texts(object, key, { at, long = false, required = false, after } = {}) {
  const change = (code) => (text) => {
    const next = { ...object[key] };
    if (text) next[code] = text;
    else delete next[code];
    if (required || Object.keys(next).length) object[key] = next;
    else delete object[key];
    after?.();
    ed.touch();
  };
  return h(
    "div",
    { class: "pp-ed-texts" },
    ed.catalogue.languages.map(([code, language]) => {
      const box = long ? area : textBox;
      const control = box(object[key]?.[code], change(code), { at: `${at}.${code}`, lang: code });
      control.setAttribute("aria-label", language);
      return h("div", { class: "pp-ed-text" }, h("span", { class: "pp-ed-code", "aria-hidden": "true" }, code.toUpperCase()), control);
    }),
  );
}

export function textsField(name, object, key, options) {
  return h(
    "fieldset",
    { class: "pp-ed-field pp-ed-field--wide", "data-path": options.at },
    h("legend", { class: "pp-ed-label" }, name),
    texts(object, key, options),
    h("div", { "data-problems": "" }),
  );
}

/** A menu of buttons under a summary; it closes when one is chosen, by Escape, and when another is opened. */
export function menu(name, entries, { symbol, at, compact = false } = {}) {
  const details = h(
    "details",
    { class: `pp-ed-menu${compact ? " pp-ed-menu--compact" : ""}` },
    h(
      "summary",
      { class: compact ? "pp-ed-tool" : "pp-ed-button", "aria-label": compact ? name : undefined, title: compact ? name : undefined, "data-at": at },
      symbol ? icon(symbol) : null,
      compact ? null : h("span", {}, name),
    ),
    h(
      "div",
      { class: "pp-ed-menu__list" },
      entries.map(([text, act, help]) =>
        act
          ? h(
              "button",
              {
                type: "button",
                class: "pp-ed-menu__entry",
                on: {
                  click: () => {
                    details.open = false;
                    act();
                  },
                },
              },
              text,
              help ? h("span", { class: "pp-ed-help" }, help) : null,
            )
          : h("p", { class: "pp-ed-menu__title" }, text),
      ),
    ),
  );
  details.addEventListener("toggle", () => {
    if (!details.open) return;
    for (const other of document.querySelectorAll("details.pp-ed-menu[open]")) if (other !== details) other.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary").focus();
  });
  return details;
}

export function card(title, ...children) {
  return h("section", { class: "pp-card pp-ed-card" }, title ? h("h3", { class: "pp-title" }, title) : null, ...children);
}

/** Set or take away a key, then tell. */
export function put(object, key, value, { redraw = false } = {}) {
  if (value === undefined || value === "" || value === null || value === false) delete object[key];
  else object[key] = value;
  if (redraw) ed.redraw();
  else ed.touch();
}
