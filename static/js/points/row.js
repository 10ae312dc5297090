// A row of the points table: what brings how many points, in which days, for how long. What granted something stands.

import { button, card, check, dayBox, field, h, iconButton, numberBox, put, selectBox, textBox, textsField } from "../editor/dom.js";
import { fieldSelect, filterList } from "../editor/filters.js";
import { show } from "../editor/shell.js";
import { datasetOf, dayShown, ed, fieldOf, say, slug, t, unitLabel } from "../editor/state.js";
import { trialOf } from "./trial.js";

const NUMBERS = ["amount", "decimal", "number"];
const fresh = new WeakSet(); // rows made on this page whose code still follows their name

// --- Rows ------------------------------------------------------------------------------------------

const codes = (but) => ed.doc.points.filter((one) => one !== but).map((one) => one.code);

/** What the ledger and claims hold of the row: {last, claimed}, or undefined. */
const standing = (row) => ed.catalogue.granted[`${row.code} ${row.starts_on}`];

export function heldBy(row) {
  return standing(row) ? t("Points or claims stand on it, so it stays: give it an end instead.") : "";
}

export function addRow() {
  const dataset = datasetOf("sales") ?? ed.catalogue.datasets[0];
  const row = {
    code: slug("row", codes()), name: {}, category: ed.doc.points.at(-1)?.category ?? "", starts_on: ed.catalogue.today,
    dataset: dataset.key, each: "fact", points: 1,
  };
  fresh.add(row);
  ed.doc.points.push(row);
  return ed.doc.points.length - 1;
}

export function duplicateRow(index) {
  const copied = structuredClone(ed.doc.points[index]);
  copied.code = slug(copied.code, codes());
  ed.doc.points.splice(index + 1, 0, copied);
}

export function rowForm(index) {
  const row = ed.doc.points[index];
  const at = `points[${index}]`;
  const stands = standing(row)?.last ? standing(row) : undefined;
  const values = [brings(row, at), row.dataset === undefined ? null : filters(row, at), row.dataset === undefined ? null : multipliers(row, at), limits(row, at)];
  return [
    stands ? locked(row, index, stands) : null,
    about(row, at, stands),
    stands ? h("fieldset", { class: "pp-ed-fixed", disabled: true }, h("legend", { class: "pp-ed-label" }, t("Values that stay as they were")), values) : values,
    trialOf(row, index),
  ];
}

// --- What stands -----------------------------------------------------------------------------------

function dayAfter(day) {
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}

/** A row that granted something: why it is locked, and the way to other values. */
function locked(row, index, stands) {
  const next = ed.doc.points.findIndex((one) => one.code === row.code && one.starts_on > row.starts_on);
  return h("section", { class: "pp-card pp-card--busy pp-ed-card" },
    h("h3", { class: "pp-title" }, t("It has granted points up to {day}", { day: dayShown(stands.last) })),
    h("p", {}, t("What partners were granted stays as it was, and so do these values. Its name, its place, its end and whether it takes claims may change.")),
    next < 0
      ? successor(row, index, stands)
      : h("div", { class: "pp-ed-actions" }, button(t("To the row with other values, from {day}", { day: dayShown(ed.doc.points[next].starts_on) }), () => show("points", next), { symbol: "arrow_forward", at: "successor.show" })),
  );
}

function successor(row, index, stands) {
  const earliest = dayAfter(stands.last);
  let day = earliest > ed.catalogue.today ? earliest : ed.catalogue.today;
  const begin = () => {
    const other = structuredClone(row);
    other.starts_on = day;
    if (other.ends_on && other.ends_on <= day) delete other.ends_on;
    row.ends_on = day;
    ed.doc.points.splice(index + 1, 0, other);
    show("points", index + 1, { changed: true });
  };
  return h("div", { class: "pp-ed-row" },
    field(t("From"), dayBox(day, (value) => { day = value || day; }, { at: "successor.day", min: earliest })),
    button(t("From that day on, other values"), begin, { symbol: "call_split", at: "successor" }),
  );
}

// --- What it is, and when --------------------------------------------------------------------------

function off(control, stands) {
  (control.querySelector("input") ?? control).disabled = Boolean(stands);
  return control;
}

function about(row, at, stands) {
  return card(
    null,
    textsField(t("Name"), row, "name", { at: `${at}.name`, required: true, after: () => followName(row) }),
    h("div", { class: "pp-ed-row" },
      field(t("Code"), off(codeBox(row, at), stands), { help: t("What lines of points and files call it."), path: `${at}.code` }),
      field(t("Category"), off(categoryBox(row, at), stands), { help: t("Points are added up and capped by it."), path: `${at}.category` }),
    ),
    h("div", { class: "pp-ed-row" },
      field(t("From"), off(dayBox(row.starts_on, (value) => { row.starts_on = value; ed.redraw(); }, { at: `${at}.starts_on` }), stands), { path: `${at}.starts_on` }),
      field(t("Up to, not including"), dayBox(row.ends_on, (value) => put(row, "ends_on", value), { at: `${at}.ends_on`, min: dayAfter(stands?.last ?? (row.starts_on || ed.catalogue.today)) }), { help: t("Empty: without end."), path: `${at}.ends_on` }),
    ),
    check(t("Partners may claim points by it"), row.claims !== false, (on) => takeClaims(row, on), {
      at: `${at}.claims`, help: t("With evidence, for what the program cannot see; staff decide."),
    }),
    h("div", { "data-path": at }, h("div", { "data-problems": "" })),
    h("div", { class: "pp-ed-words", "data-words-for": at, "aria-live": "polite", hidden: true }),
  );
}

function takeClaims(row, on) {
  if (on) delete row.claims;
  else row.claims = false;
  ed.touch();
}

function codeBox(row, at) {
  return textBox(row.code, (text) => {
    fresh.delete(row);
    row.code = plainCode(text) || row.code;
    ed.redraw();
  }, { at: `${at}.code`, max: 40, lazy: true });
}

/** Rows of one code follow one another, so a code may stand there already. */
const plainCode = (text) => slug(text, []);

function followName(row) {
  if (!fresh.has(row)) return;
  const code = slug(say(row.name), codes(row));
  if (!code) return;
  row.code = code;
  const box = document.querySelector(`[data-at="${CSS.escape(`points[${ed.shown.index}].code`)}"]`);
  if (box) box.value = code;
}

function categoryBox(row, at) {
  const known = [...new Set(ed.doc.points.map((one) => one.category).filter(Boolean))];
  const box = textBox(row.category, (text) => { row.category = plainCode(text); ed.redraw(); }, { at: `${at}.category`, max: 40, lazy: true });
  box.setAttribute("list", "pp-ed-categories");
  return h("span", {}, box, h("datalist", { id: "pp-ed-categories" }, known.map((one) => h("option", { value: one }))));
}

// --- What brings points ----------------------------------------------------------------------------

const formOf = (row) => (row.each === "fact" ? "fact" : ["amount_of", "distinct", "day_of"].find((form) => form in row.each));
const firstField = (dataset, fits) => datasetOf(dataset)?.fields.find((one) => fits(one.unit))?.key ?? "";

function brings(row, at) {
  const form = formOf(row);
  const forms = [["fact", t("each fact")], ["amount_of", t("each so much of a figure")], ["distinct", t("each different value")], ["day_of", t("each day enrolled")]];
  return card(
    t("What brings points"),
    h("div", { class: "pp-ed-row" },
      field(t("How many points"), numberBox(row.points, (value) => { row.points = value ?? ""; ed.touch(); }, { at: `${at}.points` }), { help: t("Less than nothing takes points away."), path: `${at}.points` }),
      field(t("for"), selectBox(form, forms, (next) => chooseForm(row, next), { at: `${at}.each` })),
      form === "day_of" ? null : field(t("Facts"), selectBox(row.dataset, ed.catalogue.datasets.map((one) => [one.key, one.label]), (key) => chooseDataset(row, key), { at: `${at}.dataset` }), { path: `${at}.dataset` }),
    ),
    form === "amount_of" ? slices(row, at) : null,
    form === "distinct"
      ? field(t("Of the field"), h("span", { class: "pp-ed-pair" }, fieldSelect(row.each.distinct, row.dataset, (key) => { row.each.distinct = key; ed.redraw(); }, { at: `${at}.each.distinct`, name: t("Of the field") })), { help: t("Each value once, however many facts have it."), path: `${at}.each.distinct` })
      : null,
    h("p", { class: "pp-ed-help" }, when(row, form)),
  );
}

/** Which facts count, by what the dataset is. */
function when(row, form) {
  if (form === "day_of") return t("Each day of the row’s days on which a partner is enrolled.");
  return datasetOf(row.dataset)?.dated ? t("Facts that are dated in the row’s days.") : t("Facts that stand on a night in the row’s days.");
}

function slices(row, at) {
  const unit = fieldOf(row.dataset, row.each.amount_of)?.unit;
  return h("div", { class: "pp-ed-row" },
    field(t("Each whole"), numberBox(row.each.per, (value) => { row.each.per = value ?? ""; ed.touch(); }, { at: `${at}.each.per`, min: 0, unit: unitLabel(unit) }), { path: `${at}.each.per` }),
    field(t("Of the field"), h("span", { class: "pp-ed-pair" }, fieldSelect(row.each.amount_of, row.dataset, (key) => { row.each.amount_of = key; ed.redraw(); }, { at: `${at}.each.amount_of`, units: NUMBERS, name: t("Of the field") })), { path: `${at}.each.amount_of` }),
  );
}

function chooseForm(row, form) {
  const keepsFacts = form !== "day_of";
  if (keepsFacts) row.dataset ??= (datasetOf("sales") ?? ed.catalogue.datasets[0]).key;
  else for (const key of ["dataset", "filters", "multipliers"]) delete row[key];
  if (!keepsFacts && row.expires === "with_fact") delete row.expires;
  row.each = {
    fact: () => "fact",
    amount_of: () => ({ amount_of: firstField(row.dataset, (unit) => NUMBERS.includes(unit)), per: 1000 }),
    distinct: () => ({ distinct: firstField(row.dataset, (unit) => unit === "text") }),
    day_of: () => ({ day_of: "tenure" }),
  }[form]();
  ed.redraw();
}

/** Other facts have other fields: what named them goes. */
function chooseDataset(row, key) {
  row.dataset = key;
  delete row.filters;
  delete row.multipliers;
  chooseForm(row, formOf(row));
}

function filters(row, at) {
  return card(t("Only those where"), filterList(row, "filters", { at: `${at}.filters`, dataset: row.dataset }));
}

function multipliers(row, at) {
  const list = row.multipliers ?? [];
  const first = datasetOf(row.dataset)?.fields.find((one) => one.unit === "text");
  const add = () => {
    row.multipliers = [...list, { when: [{ field: first?.key ?? "", value: first?.choices?.[0]?.[0] ?? "" }], times: 2 }];
    ed.redraw();
  };
  const remove = (place) => {
    list.splice(place, 1);
    if (!list.length) delete row.multipliers;
    ed.redraw();
  };
  const swap = (place, by) => {
    [list[place], list[place + by]] = [list[place + by], list[place]];
    ed.redraw();
  };
  return card(
    t("More or fewer for some"),
    h("div", { "data-path": `${at}.multipliers` },
      list.length > 1 ? h("p", { class: "pp-ed-help" }, t("The first that fits a fact counts.")) : null,
      h("ul", { class: "pp-ed-cases" }, list.map((one, place) => {
        const where = `${at}.multipliers[${place}]`;
        return h("li", { "data-path": where },
          h("div", { class: "pp-ed-node__head" },
            field(t("Times"), numberBox(one.times, (value) => { one.times = value ?? ""; ed.touch(); }, { at: `${where}.times` }), { path: `${where}.times` }),
            h("div", { class: "pp-ed-tools" },
              iconButton("arrow_upward", t("Move up"), () => swap(place, -1), { at: `${where}.up`, disabled: place === 0 }),
              iconButton("arrow_downward", t("Move down"), () => swap(place, 1), { at: `${where}.down`, disabled: place === list.length - 1 }),
              iconButton("delete", t("Remove"), () => remove(place), { at: `${where}.remove`, danger: true }),
            ),
          ),
          h("p", { class: "pp-ed-label" }, t("for those where")),
          filterList(one, "when", { at: `${where}.when`, dataset: row.dataset }),
          h("div", { "data-problems": "" }),
        );
      })),
      button(t("Add a multiplier"), add, { symbol: "add", at: `${at}.multipliers.add` }),
      h("div", { "data-problems": "" }),
    ),
  );
}

// --- How long, how many ----------------------------------------------------------------------------

function limits(row, at) {
  const days = formOf(row) === "day_of";
  return card(
    t("How long they count, and how many at most"),
    expiry(row, at, days),
    h("div", { class: "pp-ed-row", "data-path": `${at}.at_most` },
      field(days ? t("At most so many days") : t("At most so many times"), numberBox(row.at_most?.occurrences, (value) => limit(row, "occurrences", value), { at: `${at}.at_most.occurrences`, whole: true, min: 1 }), { help: t("Per partner. Empty: any number."), path: `${at}.at_most.occurrences` }),
      field(t("At most so many points"), numberBox(row.at_most?.points, (value) => limit(row, "points", value), { at: `${at}.at_most.points`, min: 0 }), { help: t("Per partner, of this row. Empty: any number."), path: `${at}.at_most.points` }),
      h("div", { "data-problems": "" }),
    ),
  );
}

function limit(row, key, value) {
  const next = { ...row.at_most };
  if (value === undefined) delete next[key];
  else next[key] = value;
  put(row, "at_most", Object.keys(next).length ? next : undefined);
}

function expiry(row, at, days) {
  const kind = row.expires === "with_fact" ? "with_fact" : row.expires ? Object.keys(row.expires)[0] : "";
  const kinds = [["months", t("so many months after the grant")], ["days", t("so many days after the grant")], ...(days ? [] : [["with_fact", t("while the fact stands")]])];
  const choose = (next) => put(row, "expires", { months: { months: 12 }, days: { days: 30 }, with_fact: "with_fact" }[next], { redraw: true });
  return h("div", { class: "pp-ed-row", "data-path": `${at}.expires` },
    field(t("The points count"), selectBox(kind, kinds, choose, { at: `${at}.expires.kind`, empty: t("without end") })),
    ["months", "days"].includes(kind)
      ? field(kind === "months" ? t("Months") : t("Days"), numberBox(row.expires[kind], (value) => { row.expires[kind] = value ?? ""; ed.touch(); }, { at: `${at}.expires.${kind}`, whole: true, min: 1 }))
      : null,
    h("div", { "data-problems": "" }),
  );
}
