// A rule as a tree: requirements, conditions and what combines them. docs/program-file.md says what each means.

import { button, dayBox, field, h, iconButton, menu, numberBox, put, selectBox, several, textBox } from "./dom.js";
import { ed, label, measureOf, say, slug, t, unitLabel, unitOf } from "./state.js";
import {
  alone, canMoveOut, canUnwrap, drop, inList, isGroup, listKey, moveBy, moveInto, moveOut, neighbour, remove, replace,
  restructure, spanKind, unwrap, wrap,
} from "./tree.js";

let dragged; // the slot whose handle is held

// --- What can be added -----------------------------------------------------------------------------

function freshRequirement(inEach) {
  const first = ed.doc.measures.find((one) => inEach || !one.by);
  return { measure: first?.key ?? "", is: "at_least", value: 1 };
}

const freshCondition = () => ({ partner: "country", is: "in", value: [] });

function freshSpan() {
  return { last: 6, unit: "months" };
}

function spanKey() {
  const text = JSON.stringify([ed.doc.tiers, ed.doc.distinctions]);
  const taken = [...text.matchAll(/"key":"([^"]*)"/g)].map((match) => match[1]);
  return slug("span", taken) || "span";
}

const WRAPS = {
  all: (node) => ({ all: [node] }),
  any: (node) => ({ any: [node] }),
  none: (node) => ({ none: [node] }),
  at_least: (node) => ({ at_least: 1, of: [node] }),
  for_each: (node) => ({ for_each: freshSet(), rule: node }),
  unbroken: (node) => ({ unbroken: freshSpan(), key: spanKey(), rule: node }),
  any_day: (node) => ({ any_day: freshSpan(), key: spanKey(), rule: node }),
};

function freshSet() {
  const split = ed.doc.measures.find((one) => one.by);
  return split ? { measure: split.key, is: "at_least", value: 1 } : { members: [] };
}

/** The entries of an "Add" menu. Inside a case only conditions stand; inside a for-each no span and no other for-each. */
function additions(add, { only, inEach, inSpan }) {
  const simple = [[t("A condition about the partner"), () => add(freshCondition()), t("Its country, its segment, when it enrolled")]];
  const groups = ["all", "any", "none"].map((kind) => [
    label(ed.catalogue.rule_groups, kind),
    () => add(WRAPS[kind](only ? freshCondition() : freshRequirement(inEach))),
  ]);
  if (only) return [...simple, [t("A group")], ...groups];
  const others = [...ed.doc.tiers.slice(1), ...ed.doc.distinctions];
  const more = [];
  if (!inEach) more.push([t("For each of a set"), () => add(WRAPS.for_each(freshRequirement(true))), t("Each product line, each region")]);
  if (!inEach && !inSpan) {
    more.push([t("Without a break, for a time"), () => add(WRAPS.unbroken(freshRequirement()))]);
    more.push([t("On any day of a time"), () => add(WRAPS.any_day(freshRequirement()))]);
  }
  if (others.length && !inEach) more.push([t("What another tier asks"), () => add({ meets: others[0].code })]);
  return [
    [t("A requirement"), () => add(freshRequirement(inEach)), t("A measure compared with a figure")],
    ...simple,
    [t("A group")],
    ...groups,
    [t("At least so many of these"), () => add(WRAPS.at_least(freshRequirement(inEach)))],
    ...(more.length ? [[t("Further")], ...more] : []),
  ];
}

// --- The tree --------------------------------------------------------------------------------------

/** The rule of `holder[key]`, or the button that begins one. */
export function ruleEditor(holder, key, path, { only = false, none = "" } = {}) {
  const root = { holder, key };
  if (!holder[key]) {
    const add = (node) => restructure(root, () => (holder[key] = node));
    return h(
      "div",
      { class: "pp-ed-empty", "data-path": path },
      none ? h("p", { class: "pp-muted" }, none) : null,
      menu(t("Add a rule"), additions(add, { only }), { symbol: "add", at: `${path}.add` }),
      h("div", { "data-problems": "" }),
    );
  }
  const slot = alone(root, undefined, holder, key, path);
  return h("ul", { class: "pp-ed-tree pp-ed-tree--root" }, nodeItem(slot, { only, inEach: false, inSpan: false }));
}

function nodeItem(slot, context) {
  const { node, path } = slot;
  const item = h(
    "li",
    { class: `pp-ed-node${isGroup(node) || node.rule ? " pp-ed-node--group" : ""}`, "data-path": path },
    h("div", { class: "pp-ed-node__head" }, handle(slot), h("div", { class: "pp-ed-node__body" }, head(slot, context)), tools(slot, context)),
    h("div", { "data-problems": "" }),
    below(slot, context),
  );
  if (slot.list) receive(item, slot);
  return item;
}

function tools(slot, context) {
  const { path, list, index } = slot;
  const into = neighbour(slot);
  const kinds = context.only
    ? ["all", "any", "none"]
    : ["all", "any", "none", "at_least", ...(context.inEach ? [] : ["for_each", ...(context.inSpan ? [] : ["unbroken", "any_day"])])];
  const canHold = (kind) => kind !== "for_each" || !JSON.stringify(slot.node).match(/"(for_each|unbroken|any_day|meets)"/);
  const entries = [
    [t("Put it into")],
    ...kinds.filter(canHold).map((kind) => [label(ed.catalogue.rule_wraps, kind), () => wrap(slot, WRAPS[kind])]),
    ...(canUnwrap(slot) && (isGroup(slot.node) || slot.node.rule) ? [[t("Dissolve the group"), () => unwrap(slot)]] : []),
    ...(list ? [[t("Duplicate"), () => restructure(slot.root, () => list.splice(index + 1, 0, structuredClone(slot.node)))]] : []),
  ];
  return h(
    "div",
    { class: "pp-ed-tools" },
    list ? iconButton("arrow_upward", t("Move up"), () => moveBy(slot, -1), { at: `${path}.up`, disabled: index === 0 }) : null,
    list ? iconButton("arrow_downward", t("Move down"), () => moveBy(slot, 1), { at: `${path}.down`, disabled: index === list.length - 1 }) : null,
    list ? iconButton("format_indent_increase", t("Move into the group beside it"), () => moveInto(slot, into), { at: `${path}.in`, disabled: !into }) : null,
    list ? iconButton("format_indent_decrease", t("Move out of the group"), () => moveOut(slot), { at: `${path}.out`, disabled: !canMoveOut(slot) }) : null,
    menu(t("More"), entries, { symbol: "more_horiz", at: `${path}.more`, compact: true }),
    list || !slot.within
      ? iconButton("delete", t("Remove"), () => restructure(slot.root, () => remove(slot)), { at: `${path}.remove`, danger: true })
      : null,
  );
}

function handle(slot) {
  if (!slot.list) return null;
  return h(
    "span",
    {
      class: "pp-ed-handle material-symbols-outlined", "aria-hidden": "true", draggable: true,
      on: {
        dragstart: (event) => {
          dragged = slot;
          event.dataTransfer.effectAllowed = "move";
          event.dataTransfer.setData("text/plain", slot.path);
        },
        dragend: () => (dragged = undefined),
      },
    },
    "drag_indicator",
  );
}

function receive(item, slot) {
  const isAfter = (event) => {
    const box = item.getBoundingClientRect();
    return event.clientY > box.top + box.height / 2;
  };
  const clear = () => item.classList.remove("pp-ed-drop", "pp-ed-drop--after");
  item.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    event.stopPropagation();
    clear();
    item.classList.add("pp-ed-drop");
    item.classList.toggle("pp-ed-drop--after", isAfter(event));
  });
  item.addEventListener("dragleave", clear);
  item.addEventListener("drop", (event) => {
    if (!dragged) return;
    event.preventDefault();
    event.stopPropagation();
    clear();
    drop(dragged, slot, isAfter(event));
  });
}

// --- Each kind of rule -----------------------------------------------------------------------------

function head(slot, context) {
  const { node, path } = slot;
  if ("measure" in node) return requirement(node, path, context);
  if ("partner" in node) return condition(slot);
  if ("meets" in node) return meets(node, path);
  if ("for_each" in node) return forEach(node, path);
  if (spanKind(node)) return span(slot);
  return groupHead(slot, context);
}

/** What stands below a rule: the rules of a group, the rule of a holder, the cases of a requirement. */
function below(slot, context) {
  const { node, path } = slot;
  if ("measure" in node) return node.cases ? cases(node, path) : null;
  if (node.rule) {
    const inside = { ...context, inEach: context.inEach || "for_each" in node, inSpan: context.inSpan || Boolean(spanKind(node)) };
    return h("ul", { class: "pp-ed-tree" }, nodeItem(alone(slot.root, slot, node, "rule", `${path}.rule`), inside));
  }
  const key = listKey(node);
  if (!key) return null;
  const list = node[key];
  const add = (one) => restructure(slot.root, () => list.push(one));
  return [
    h("ul", { class: "pp-ed-tree" }, list.map((_one, index) => nodeItem(inList(slot, list, index, `${path}.${key}[${index}]`), context))),
    h("div", { class: "pp-ed-actions" }, menu(t("Add to this group"), additions(add, context), { symbol: "add", at: `${path}.${key}.add` })),
  ];
}

function measureOptions(inEach) {
  const all = ed.doc.measures.filter((one) => inEach || !one.by);
  return all.map((one) => [one.key, say(one.name) || one.key]);
}

function compared(node, path, { inEach, options }) {
  const measure = measureOf(node.measure);
  const unit = unitOf(measure);
  return [
    selectBox(node.measure, options ?? measureOptions(inEach), (key) => {
      const before = unitOf(measureOf(node.measure));
      node.measure = key;
      if (before !== unitOf(measureOf(key))) node.value = unitOf(measureOf(key)) === "share" ? "0.5" : 1;
      ed.redraw();
    }, { at: `${path}.measure`, name: t("Measure") }),
    selectBox(node.is, ed.catalogue.rule_comparisons, (value) => put(node, "is", value), { at: `${path}.is`, name: t("Comparison") }),
    valueBox(node, path, unit),
  ];
}

function valueBox(node, path, unit, name = t("Value")) {
  return numberBox(node.value, (value) => {
    node.value = value ?? "";
    ed.touch();
  }, { at: `${path}.value`, name, unit: unitLabel(unit), percent: unit === "share" });
}

function requirement(node, path, context) {
  const begin = () => {
    node.cases = [{ when: freshCondition(), value: node.value }];
    ed.redraw();
  };
  return [
    h("div", { class: "pp-ed-row pp-ed-row--tight" }, compared(node, path, context)),
    node.cases ? null : h("button", { type: "button", class: "pp-ed-link", "data-at": `${path}.cases.add`, on: { click: begin } }, t("Another figure for some partners")),
  ];
}

function cases(node, path) {
  const unit = unitOf(measureOf(node.measure));
  const removeCase = (index) => {
    node.cases.splice(index, 1);
    if (!node.cases.length) delete node.cases;
    ed.redraw();
  };
  const move = (index, by) => {
    [node.cases[index], node.cases[index + by]] = [node.cases[index + by], node.cases[index]];
    ed.redraw();
  };
  return h(
    "div",
    { class: "pp-ed-inset" },
    h("p", { class: "pp-ed-help" }, t("The first case that fits the partner gives the figure; where none does, it is the one above.")),
    h(
      "ol",
      { class: "pp-ed-cases" },
      node.cases.map((one, index) => {
        const place = `${path}.cases[${index}]`;
        return h(
          "li",
          { "data-path": place },
          h(
            "div",
            { class: "pp-ed-row pp-ed-row--tight" },
            h("span", { class: "pp-label" }, t("The figure is")),
            valueBox(one, place, unit, t("The figure is")),
            h("span", { class: "pp-label" }, t("for partners with")),
            h(
              "span",
              { class: "pp-ed-tools" },
              iconButton("arrow_upward", t("Move up"), () => move(index, -1), { at: `${place}.up`, disabled: index === 0 }),
              iconButton("arrow_downward", t("Move down"), () => move(index, 1), { at: `${place}.down`, disabled: index === node.cases.length - 1 }),
              iconButton("delete", t("Remove"), () => removeCase(index), { at: `${place}.remove`, danger: true }),
            ),
          ),
          ruleEditor(one, "when", `${place}.when`, { only: true }),
          h("div", { "data-problems": "" }),
        );
      }),
    ),
    button(t("Add a case"), () => {
      node.cases.push({ when: freshCondition(), value: node.value });
      ed.redraw();
    }, { symbol: "add", at: `${path}.cases.add` }),
  );
}

const DAYS = ["enrolled_on", "joined_on"];

function condition(slot) {
  const { node, path } = slot;
  const known = ed.catalogue.traits.find(([key]) => key === node.partner);
  const own = !known;
  const choose = (key) => {
    if (DAYS.includes(key)) replace(slot, { partner: key, is: "at_least", value: ed.catalogue.today });
    else replace(slot, { partner: key === "?" ? "segment" : key, is: "in", value: [] });
    ed.redraw();
  };
  const options = [...ed.catalogue.traits, ["?", t("Another trait…")]];
  const values = Array.isArray(node.value) ? node.value : node.value ? [node.value] : [];
  return h(
    "div",
    { class: "pp-ed-row pp-ed-row--tight" },
    h("span", { class: "pp-label" }, t("The partner’s")),
    selectBox(own ? "?" : node.partner, options, choose, { at: `${path}.partner`, name: t("Trait") }),
    own
      ? textBox(node.partner, (text) => { node.partner = text.toLowerCase().replace(/[^a-z0-9_]+/g, "_"); ed.redraw(); }, { at: `${path}.trait`, name: t("Name of the trait"), lazy: true })
      : null,
    DAYS.includes(node.partner)
      ? [
          selectBox(node.is, ed.catalogue.day_comparisons, (value) => put(node, "is", value), { at: `${path}.is`, name: t("Comparison") }),
          dayBox(node.value, (value) => { node.value = value; ed.touch(); }, { at: `${path}.value`, name: t("Day") }),
        ]
      : [
          selectBox(["not", "not_in"].includes(node.is) ? "not_in" : "in", ed.catalogue.trait_comparisons, (value) => { node.value = values; node.is = value; ed.touch(); }, { at: `${path}.is`, name: t("Comparison") }),
          several(values, (next) => { node.is = ["not", "not_in"].includes(node.is) ? "not_in" : "in"; node.value = next; }, { at: `${path}.value`, name: t("Values"), choices: traitChoices(node.partner) }),
        ],
  );
}

function traitChoices(trait) {
  if (trait === "country") return ed.catalogue.countries;
  if (trait === "country_group") return Object.keys(ed.doc.country_groups).map((name) => [name, name]);
  if (trait === "tier") return ed.doc.tiers.map((one) => [one.code, say(one.name) || one.code]);
  return undefined;
}

function meets(node, path) {
  const named = (ones) => ones.map((one) => [one.code, say(one.name) || one.code]);
  const options = [{ label: t("Tiers"), options: named(ed.doc.tiers.slice(1)) }, { label: t("Distinctions"), options: named(ed.doc.distinctions) }];
  return h(
    "div",
    { class: "pp-ed-row pp-ed-row--tight" },
    h("span", { class: "pp-label" }, t("Meets the rule of")),
    selectBox(node.meets, options.filter((one) => one.options.length), (code) => put(node, "meets", code), { at: `${path}.meets`, name: t("Meets the rule of") }),
  );
}

function forEach(node, path) {
  const set = node.for_each;
  const split = ed.doc.measures.filter((one) => one.by).map((one) => [one.key, say(one.name) || one.key]);
  const kind = "members" in set ? "members" : "measure";
  const change = (next) => {
    node.for_each = next === "members" ? { members: [] } : { measure: split[0]?.[0] ?? "", is: "at_least", value: 1 };
    ed.redraw();
  };
  const place = `${path}.for_each`;
  return [
    h(
      "div",
      { class: "pp-ed-row pp-ed-row--tight" },
      selectBox("at_least" in node ? "some" : "each", [["each", t("For each of these")], ["some", t("For at least so many of these")]], (next) => put(node, "at_least", next === "some" ? 1 : undefined, { redraw: true }), { at: `${path}.how`, name: t("For how many") }),
      "at_least" in node ? numberBox(node.at_least, (value) => { node.at_least = value; ed.touch(); }, { at: `${path}.at_least`, name: t("How many"), whole: true, min: 1 }) : null,
    ),
    h(
      "div",
      { class: "pp-ed-row pp-ed-row--tight", "data-path": place },
      selectBox(kind, [["members", t("these named ones")], ["measure", t("those where")]], change, { at: `${place}.kind`, name: t("Which set") }),
      kind === "members"
        ? several(set.members, (next) => { set.members = next; }, { at: `${place}.members`, name: t("Members of the set") })
        : compared(set, place, { inEach: true, options: split }),
      kind === "measure" && !split.length ? h("p", { class: "pp-ed-help" }, t("Split a measure by a field first: then it has a figure for each of its values.")) : null,
      h("div", { "data-problems": "" }),
    ),
  ];
}

function span(slot) {
  const { node, path } = slot;
  const kind = spanKind(node);
  const length = node[kind];
  const change = (next) => {
    const { [kind]: held, ...rest } = node;
    restructure(slot.root, () => replace(slot, { [next]: held, ...rest }));
  };
  return [
    h(
      "div",
      { class: "pp-ed-row pp-ed-row--tight" },
      selectBox(kind, [["unbroken", t("Without a break for")], ["any_day", t("On any day of the last")]], change, { at: `${path}.kind`, name: t("Over time") }),
      numberBox(length.last, (value) => { length.last = value; ed.touch(); }, { at: `${path}.last`, name: t("How many"), whole: true, min: 1 }),
      selectBox(length.unit, [["months", t("months")], ["days", t("days")]], (value) => put(length, "unit", value), { at: `${path}.unit`, name: t("Unit") }),
      selectBox(length.more ? "more" : "at_least", [["at_least", t("at least")], ["more", t("strictly more")]], (value) => put(length, "more", value === "more" || undefined), { at: `${path}.more_than`, name: t("At least or more") }),
    ),
    field(t("Key of this span"), textBox(node.key, (text) => { node.key = text; ed.touch(); }, { at: `${path}.key`, max: 60 }), {
      help: t("Its nights are stored under this key: keep it the same from edition to edition."),
    }),
  ];
}

function groupHead(slot, context) {
  const { node, path } = slot;
  const key = listKey(node);
  const kind = key === "of" ? "at_least" : key;
  const kinds = ed.catalogue.rule_groups.filter(([one]) => !context.only || one !== "at_least");
  const change = (next) => {
    const list = node[key];
    restructure(slot.root, () => replace(slot, next === "at_least" ? { at_least: Math.min(2, list.length) || 1, of: list } : { [next]: list }));
  };
  return [
    h(
      "div",
      { class: "pp-ed-row pp-ed-row--tight" },
      selectBox(kind, kinds, change, { at: `${path}.kind`, name: t("Kind of group") }),
      kind === "at_least" ? numberBox(node.at_least, (value) => { node.at_least = value ?? 1; ed.touch(); }, { at: `${path}.at_least`, name: t("How many"), whole: true, min: 1, max: node.of.length, unit: t("of {count}", { count: node.of.length }) }) : null,
    ),
    kind === "at_least" ? including(node, path) : null,
  ];
}

/** Which of a group's rules must be among those met. */
function including(node, path) {
  const chosen = node.including?.of ?? [];
  const set = (place, on) => {
    const places = on ? [...chosen, place].sort((a, b) => a - b) : chosen.filter((one) => one !== place);
    if (places.length) node.including = { at_least: Math.min(node.including?.at_least ?? 1, places.length), of: places };
    else delete node.including;
    ed.redraw();
  };
  return h(
    "details",
    { class: "pp-ed-more", open: chosen.length > 0, "data-path": `${path}.including` },
    h("summary", {}, t("Some of them must be among these")),
    h(
      "div",
      { class: "pp-ed-row pp-ed-row--tight" },
      chosen.length
        ? field(t("At least"), numberBox(node.including.at_least, (value) => { node.including.at_least = value ?? 1; ed.touch(); }, { at: `${path}.including.at_least`, whole: true, min: 1, max: chosen.length }))
        : null,
      h(
        "div",
        { class: "pp-ed-several", role: "group", "aria-label": t("Some of them must be among these") },
        node.of.map((_rule, place) =>
          h(
            "label",
            { class: "pp-ed-check" },
            h("input", { type: "checkbox", checked: chosen.includes(place), "data-at": `${path}.including.${place}`, on: { change: (event) => set(place, event.target.checked) } }),
            h("span", {}, t("no. {number}", { number: place + 1 })),
          ),
        ),
      ),
    ),
    h("div", { "data-problems": "" }),
  );
}
