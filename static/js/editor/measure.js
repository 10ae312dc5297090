// A measure: a figure from facts, from other measures, or from time.

import { card, check, field, h, numberBox, put, selectBox, textBox, textsField, button, iconButton } from "./dom.js";
import { fieldSelect, filterList, tableByField } from "./filters.js";
import { datasetOf, ed, fieldOf, label, renameMeasure, say, slug, t, unitLabel, unitOf } from "./state.js";
import { valueOf } from "./value.js";
import { freshWindow, windowFields } from "./windows.js";

const FORMS = ["ratio", "growth", "difference", "total", "largest", "smallest", "score", "rank", "tenure"];
const PAIRS = ["ratio", "growth", "difference"];
const NUMBERS = ["amount", "decimal", "number"];
const fresh = new WeakSet(); // measures made on this page whose key still follows their name

export const formOf = (measure) => FORMS.find((form) => form in measure) ?? "facts";

export function addMeasure() {
  const dataset = datasetOf("sales") ?? ed.catalogue.datasets[0];
  const measure = { key: slug("measure", ed.doc.measures.map((one) => one.key)), name: {}, aggregate: "count", dataset: dataset.key, window: freshWindow(dataset) };
  fresh.add(measure);
  ed.doc.measures.push(measure);
  return ed.doc.measures.length - 1;
}

export function duplicateMeasure(index) {
  const copied = structuredClone(ed.doc.measures[index]);
  copied.key = slug(copied.key, ed.doc.measures.map((one) => one.key));
  ed.doc.measures.splice(index + 1, 0, copied);
}

export function measureForm(index) {
  const measure = ed.doc.measures[index];
  const at = `measures[${index}]`;
  const form = formOf(measure);
  return [
    card(
      null,
      textsField(t("Name"), measure, "name", { at: `${at}.name`, required: true, after: () => followName(measure) }),
      h("div", { class: "pp-ed-row" },
        field(t("Key"), keyBox(measure, at), { help: t("What rules and files call it. The same from edition to edition."), path: `${at}.key` }),
        field(t("What it is"), selectBox(form, forms(), (next) => change(measure, next), { at: `${at}.form` })),
      ),
      h("div", { "data-path": at }, h("div", { "data-problems": "" })),
      h("div", { class: "pp-ed-words", "data-words-for": at, "data-title": t("In words"), "aria-live": "polite", hidden: true }),
    ),
    form === "facts" ? fromFacts(measure, at) : card(t("How it is made"), form === "tenure" ? tenure(measure, at) : fromMeasures(measure, form, at)),
    valueOf(measure),
  ];
}

function forms() {
  const group = (name, keys) => ({ label: name, options: keys.map((key) => [key, label(ed.catalogue.measure_forms, key)]) });
  return [
    group(t("From facts"), ["facts"]),
    group(t("From other measures"), FORMS.filter((form) => form !== "tenure")),
    group(t("From time"), ["tenure"]),
  ];
}

function keyBox(measure, at) {
  return textBox(measure.key, (text) => {
    const key = slug(text, ed.doc.measures.filter((one) => one !== measure).map((one) => one.key));
    fresh.delete(measure);
    if (key) {
      renameMeasure(measure.key, key);
      measure.key = key;
    }
    ed.redraw();
  }, { at: `${at}.key`, max: 60, lazy: true });
}

function followName(measure) {
  if (!fresh.has(measure)) return;
  const key = slug(say(measure.name), ed.doc.measures.filter((one) => one !== measure).map((one) => one.key));
  if (!key) return;
  renameMeasure(measure.key, key);
  measure.key = key;
  const box = document.querySelector(`[data-at="${CSS.escape(`measures[${ed.shown.index}].key`)}"]`);
  if (box) box.value = key;
}

/** Another form of figure begins afresh; name and key stay. */
function change(measure, form) {
  for (const key of Object.keys(measure)) if (key !== "key" && key !== "name") delete measure[key];
  const others = ed.doc.measures.filter((one) => one !== measure).map((one) => one.key);
  const [first = "", second = first] = others;
  const facts = datasetOf("sales") ?? ed.catalogue.datasets[0];
  Object.assign(measure, {
    facts: () => ({ aggregate: "count", dataset: facts.key, window: freshWindow(facts) }),
    score: () => ({ score: first, bands: [{ from: 1, gives: 1 }] }),
    rank: () => ({ rank: ed.doc.measures.find((one) => one !== measure && one.aggregate)?.key ?? "", within: "program", as: "position" }),
    tenure: () => ({ tenure: "enrollment", unit: "months" }),
  }[form]?.() ?? { [form]: [first, second] });
  ed.redraw();
}

// --- From facts ------------------------------------------------------------------------------------

function fromFacts(measure, at) {
  const dataset = datasetOf(measure.dataset);
  const needsField = measure.aggregate !== "count";
  const wholeNumbers = !["distinct"].includes(measure.aggregate);
  const chooseDataset = (key) => {
    for (const name of ["field", "filters", "dated_by", "by", "weights", "caps", "having"]) delete measure[name];
    Object.assign(measure, { dataset: key, aggregate: "count", window: freshWindow(datasetOf(key)) });
    ed.redraw();
  };
  const chooseAggregate = (key) => {
    measure.aggregate = key;
    const fits = (one) => (key === "distinct" ? true : NUMBERS.includes(one?.unit));
    if (key === "count") delete measure.field;
    else if (!fits(fieldOf(measure.dataset, measure.field))) measure.field = dataset?.fields.find(fits)?.key ?? "";
    if (key !== "sum") delete measure.weights;
    if (!["sum", "count", "distinct"].includes(key)) delete measure.caps;
    if (key !== "distinct") delete measure.having;
    if (key === "monthly_average") measure.window = { kind: "last_full", unit: "month", count: 3 };
    ed.redraw();
  };
  const has = (kind) => kind === "count" || kind === "distinct" || dataset?.fields.some((one) => NUMBERS.includes(one.unit)) || dataset?.attributes;
  return [
    card(
      t("Which facts"),
      h("div", { class: "pp-ed-row" },
        field(t("Facts"), selectBox(measure.dataset, ed.catalogue.datasets.map((one) => [one.key, one.label]), chooseDataset, { at: `${at}.dataset` }), { path: `${at}.dataset` }),
        field(t("Figure"), selectBox(measure.aggregate, ed.catalogue.aggregates.filter(([kind]) => has(kind)), chooseAggregate, { at: `${at}.aggregate` })),
        needsField
          ? field(t("Of the field"), h("span", { class: "pp-ed-pair" }, fieldSelect(measure.field, measure.dataset, (key) => put(measure, "field", key, { redraw: true }), { at: `${at}.field`, units: wholeNumbers ? NUMBERS : undefined, name: t("Of the field") })), { path: `${at}.field` })
          : null,
      ),
    ),
    card(t("Only those where"), filterList(measure, "filters", { at: `${at}.filters`, dataset: measure.dataset })),
    card(
      t("When"),
      windowFields(measure, "window", { at: `${at}.window`, stock: !dataset?.dated && !measure.dated_by }),
      dataset?.days.length
        ? field(t("Dated by"), selectBox(measure.dated_by ?? "", dataset.days.map((key) => [key, fieldOf(measure.dataset, key)?.label ?? key]), (key) => {
            put(measure, "dated_by", key);
            if (Boolean(key) || dataset.dated) measure.window = measure.window.kind === "today" || measure.window.kind === "on" ? { last: 12, unit: "months" } : measure.window;
            else measure.window = { kind: "today" };
            ed.redraw();
          }, { at: `${at}.dated_by`, empty: t("its own day") }))
        : null,
    ),
    further(measure, at),
  ];
}

function further(measure, at) {
  const used = ["by", "weights", "caps", "having"].some((name) => name in measure);
  return h(
    "details",
    { class: "pp-card pp-ed-card pp-ed-more", open: used },
    h("summary", { class: "pp-title" }, t("Split, weights and caps")),
    field(t("Split by"), h("span", { class: "pp-ed-pair" }, fieldSelect(measure.by, measure.dataset, (key) => put(measure, "by", key, { redraw: true }), { at: `${at}.by`, units: ["text", "number", "yes_no"], empty: t("not split"), name: t("Split by") })), {
      help: t("A figure for each value of this field, for rules that ask for each of them."), path: `${at}.by`,
    }),
    measure.aggregate === "sum"
      ? tableByField(measure, "weights", { at: `${at}.weights`, dataset: measure.dataset, name: t("Weights"), help: t("Each fact is multiplied by the weight of its value.") })
      : null,
    ["sum", "count", "distinct"].includes(measure.aggregate)
      ? tableByField(measure, "caps", { at: `${at}.caps`, dataset: measure.dataset, name: t("Caps"), cap: true, help: t("What each value may bring in at most. All others without a figure: no cap.") })
      : null,
    measure.aggregate === "distinct" ? having(measure, at) : null,
  );
}

function having(measure, at) {
  const asked = measure.having;
  const begin = (on) => put(measure, "having", on ? { aggregate: "count", at_least: 2 } : undefined, { redraw: true });
  return h(
    "div",
    { "data-path": `${at}.having` },
    check(t("Only values with enough facts"), asked, begin, { at: `${at}.having.on`, help: t("People who hold two certificates each, for example.") }),
    asked
      ? h("div", { class: "pp-ed-row" },
          field(t("Figure"), selectBox(asked.aggregate, ed.catalogue.aggregates.filter(([kind]) => ["count", "distinct", "sum"].includes(kind)), (kind) => { asked.aggregate = kind; if (kind === "count") delete asked.field; ed.redraw(); }, { at: `${at}.having.aggregate` })),
          asked.aggregate === "count" ? null : field(t("Of the field"), h("span", { class: "pp-ed-pair" }, fieldSelect(asked.field, measure.dataset, (key) => put(asked, "field", key, { redraw: true }), { at: `${at}.having.field`, units: asked.aggregate === "sum" ? NUMBERS : undefined, name: t("Of the field") }))),
          field(t("At least"), numberBox(asked.at_least, (value) => { asked.at_least = value ?? 1; ed.touch(); }, { at: `${at}.having.at_least`, min: 1 })),
        )
      : null,
    h("div", { "data-problems": "" }),
  );
}

// --- From other measures, and from time ------------------------------------------------------------

function others(measure, onlyFacts = false) {
  return ed.doc.measures.filter((one) => one !== measure && (!onlyFacts || one.aggregate)).map((one) => [one.key, say(one.name) || one.key]);
}

function fromMeasures(measure, form, at) {
  if (form === "score") return score(measure, at);
  if (form === "rank") return rank(measure, at);
  const options = others(measure);
  const list = measure[form];
  const pick = (index, name) =>
    field(name, selectBox(list[index], options, (key) => { list[index] = key; ed.redraw(); }, { at: `${at}.${form}[${index}]` }));
  if (PAIRS.includes(form)) {
    const names = { ratio: [t("This"), t("divided by")], growth: [t("Now"), t("compared with before")], difference: [t("This"), t("minus")] }[form];
    return h("div", { "data-path": `${at}.${form}` },
      h("div", { class: "pp-ed-row" }, pick(0, names[0]), pick(1, names[1])),
      form === "growth"
        ? field(t("Least base"), numberBox(measure.minimum_base, (value) => put(measure, "minimum_base", value === undefined ? undefined : String(value)), { at: `${at}.minimum_base`, unit: unitLabel(unitOf(ed.doc.measures.find((one) => one.key === list[1]))) }), {
            help: t("Where the figure before is under it, there is no growth."), path: `${at}.minimum_base`,
          })
        : null,
      h("div", { "data-problems": "" }),
    );
  }
  return h("div", { "data-path": `${at}.${form}` },
    h("ul", { class: "pp-ed-pairs" },
      list.map((key, index) => h("li", {},
        selectBox(key, options, (next) => { list[index] = next; ed.redraw(); }, { at: `${at}.${form}[${index}]`, name: t("Measure") }),
        iconButton("close", t("Remove"), () => { list.splice(index, 1); ed.redraw(); }),
      )),
    ),
    button(t("Add a measure"), () => { list.push(options[0]?.[0] ?? ""); ed.redraw(); }, { symbol: "add", at: `${at}.${form}.add` }),
    h("div", { "data-problems": "" }),
  );
}

function score(measure, at) {
  const bands = measure.bands;
  const shape = (next) => {
    for (const key of ["bands", "full_at", "gives"]) delete measure[key];
    Object.assign(measure, next === "bands" ? { bands: [{ from: 1, gives: 1 }] } : { full_at: 100, gives: 100 });
    ed.redraw();
  };
  const number = (object, key, name, place) =>
    numberBox(object[key], (value) => { object[key] = value ?? ""; ed.touch(); }, { at: place, name });
  return h("div", { "data-path": `${at}.score` },
    h("div", { class: "pp-ed-row" },
      field(t("Points for"), selectBox(measure.score, others(measure), (key) => put(measure, "score", key, { redraw: true }), { at: `${at}.score` })),
      field(t("Given"), selectBox(bands ? "bands" : "full_at", [["bands", t("in bands")], ["full_at", t("in proportion")]], shape, { at: `${at}.shape` })),
    ),
    bands
      ? [
          h("ul", { class: "pp-ed-pairs" }, bands.map((band, index) => h("li", { "data-path": `${at}.bands[${index}]` },
            h("span", {}, t("from")), number(band, "from", t("from"), `${at}.bands[${index}].from`),
            h("span", {}, t("gives")), number(band, "gives", t("gives"), `${at}.bands[${index}].gives`),
            iconButton("close", t("Remove"), () => { bands.splice(index, 1); ed.redraw(); }),
          ))),
          button(t("Add a band"), () => { bands.push({ from: "", gives: "" }); ed.redraw(); }, { symbol: "add", at: `${at}.bands.add` }),
        ]
      : h("div", { class: "pp-ed-row" },
          field(t("All of it at"), number(measure, "full_at", t("All of it at"), `${at}.full_at`)),
          field(t("Points"), number(measure, "gives", t("Points"), `${at}.gives`)),
        ),
    h("div", { "data-problems": "" }),
  );
}

function rank(measure, at) {
  return h("div", { "data-path": `${at}.rank` },
    h("div", { class: "pp-ed-row" },
      field(t("Place by"), selectBox(measure.rank, others(measure, true), (key) => put(measure, "rank", key, { redraw: true }), { at: `${at}.rank` })),
      field(t("Among"), selectBox(measure.within, [["program", t("all partners of the program")], ["country", t("partners of the same country")]], (value) => put(measure, "within", value), { at: `${at}.within` })),
      field(t("As"), selectBox(measure.as, [["position", t("a place: 1 is the highest")], ["share", t("a share: the top 3%")]], (value) => put(measure, "as", value, { redraw: true }), { at: `${at}.as` })),
    ),
    h("div", { "data-problems": "" }),
  );
}

function tenure(measure, at) {
  return h("div", { class: "pp-ed-row", "data-path": `${at}.tenure` },
    field(t("Time since"), selectBox(measure.tenure, ed.catalogue.tenures, (value) => put(measure, "tenure", value), { at: `${at}.tenure` })),
    field(t("Counted in"), selectBox(measure.unit, [["days", t("days")], ["months", t("months")], ["years", t("years")]], (value) => put(measure, "unit", value, { redraw: true }), { at: `${at}.unit` })),
    h("div", { "data-problems": "" }),
  );
}
