// What the editor's modules share: the document, the catalogue of what may be chosen, and who is told of a change.

export const ed = {
  doc: {}, // what docs/program-file.md describes: measures, tiers, distinctions... of an edition, or the points of a program
  catalogue: {}, // datasets, fields, words and lists, with labels in the reader's language
  shown: { kind: "tiers", index: 0 }, // the part on the right
  touch() {}, // something was typed
  redraw() {}, // something was added, moved or taken away
  checked() {}, // the server has read the document as it is: what the part on the right asks it then
};

/** The text in the reader's language, with {names} filled in. */
export function t(text, names = {}) {
  const said = ed.catalogue.texts[text] ?? text;
  return said.replace(/\{(\w+)\}/g, (whole, name) => names[name] ?? whole);
}

/** A text by language as its reader sees it. */
export function say(texts) {
  const { language, languages } = ed.catalogue;
  return texts?.[language] || languages.map(([code]) => texts?.[code]).find(Boolean) || "";
}

/** A day of the document as its reader writes days. */
export function dayShown(day) {
  const date = new Date(day ?? "");
  if (Number.isNaN(date.valueOf())) return "";
  return new Intl.DateTimeFormat(ed.catalogue.language, { dateStyle: "medium", timeZone: "UTC" }).format(date);
}

export function label(pairs, value) {
  return pairs.find(([one]) => one === value)?.[1] ?? value;
}

/** Letters, digits and hyphens out of a name, as keys and codes are written; not one of `taken`. */
export function slug(name, taken) {
  const plain = name
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 36);
  if (!plain) return "";
  let free = plain;
  for (let number = 2; taken.includes(free); number += 1) free = `${plain}-${number}`;
  return free;
}

// --- Numbers as documents write them: whole ones plain, fractions as exact text --------------------

export function toDocument(text) {
  if (text === "") return undefined;
  const plain = /e/i.test(text) ? String(Number(text)) : text;
  return /^-?\d{1,14}$/.test(plain) ? Number(plain) : plain;
}

/** A decimal text with its point moved: shift("0.8", 2) is "80". */
export function shift(value, places) {
  const [, sign, whole, part = ""] = /^(-?)(\d*)(?:\.(\d*))?$/.exec(String(value)) ?? [null, "", "", ""];
  if (!whole && !part) return "";
  let digits = whole + part;
  let point = whole.length + places;
  if (point <= 0) [digits, point] = ["0".repeat(1 - point) + digits, 1];
  digits = digits.padEnd(point, "0");
  const moved = `${digits.slice(0, point).replace(/^0+(?=\d)/, "")}.${digits.slice(point)}`.replace(/\.?0*$/, "");
  return sign + moved;
}

// --- Who is named where ----------------------------------------------------------------------------

function walk(value, visit) {
  if (Array.isArray(value)) value.forEach((one) => walk(one, visit));
  else if (value && typeof value === "object") {
    visit(value);
    Object.values(value).forEach((one) => walk(one, visit));
  }
}

const OF_MEASURES = ["ratio", "growth", "difference", "total", "largest", "smallest"];

/** In place: a form on the page holds the list. */
function renameIn(list, from, to) {
  list?.forEach((one, index) => {
    if (one === from) list[index] = to;
  });
}

/** A measure has another key: what names it follows. */
export function renameMeasure(from, to) {
  if (!from || !to) return;
  walk([ed.doc.tiers, ed.doc.distinctions], (node) => {
    if (node.measure === from) node.measure = to;
  });
  for (const measure of ed.doc.measures) {
    for (const form of OF_MEASURES) renameIn(measure[form], from, to);
    for (const form of ["score", "rank"]) if (measure[form] === from) measure[form] = to;
  }
}

/** A tier or distinction has another code: what names it follows. */
export function renameCode(from, to) {
  if (!from || !to) return;
  walk([ed.doc.tiers, ed.doc.distinctions], (node) => {
    if (node.meets === from) node.meets = to;
    if (node.partner !== "tier") return;
    if (Array.isArray(node.value)) renameIn(node.value, from, to);
    else if (node.value === from) node.value = to;
  });
  for (const deadline of ed.doc.life.deadlines ?? []) if (deadline.tier === from) deadline.tier = to;
}

/** How many rules and measures name this measure. */
export function uses(key) {
  let found = 0;
  walk([ed.doc.tiers, ed.doc.distinctions], (node) => {
    if (node.measure === key) found += 1;
  });
  for (const one of ed.doc.measures) {
    const named = [...OF_MEASURES.flatMap((form) => one[form] ?? []), one.score, one.rank];
    if (named.includes(key)) found += 1;
  }
  return found;
}

// --- Units -----------------------------------------------------------------------------------------

export const measureOf = (key) => ed.doc.measures.find((one) => one.key === key);
export const datasetOf = (key) => ed.catalogue.datasets.find((one) => one.key === key);

export function fieldOf(dataset, key) {
  const known = datasetOf(dataset)?.fields.find((one) => one.key === key);
  const prefix = prefixOf(key);
  return known ?? (prefix ? { key, label: key.slice(prefix.length), unit: "text" } : undefined);
}

/** "attr:" or "trait:" where the name behind it was typed. */
export const prefixOf = (key) => ["attr:", "trait:"].find((one) => key?.startsWith(one));

/** What a measure's figure is: "count", "amount", "decimal", "share", "place", "days", "months", "years". */
export function unitOf(measure, depth = 0) {
  if (!measure || depth > 12) return "count";
  if (measure.growth) return "share";
  if (measure.ratio) {
    const [above, below] = measure.ratio.map((key) => unitOf(measureOf(key), depth + 1));
    return above !== below && ["amount", "decimal"].includes(above) ? above : "share";
  }
  if (measure.rank) return measure.as === "share" ? "share" : "place";
  if (measure.tenure) return measure.unit ?? "days";
  if (measure.score) return "decimal";
  for (const form of ["difference", "total", "largest", "smallest"]) {
    if (measure[form]) return unitOf(measureOf(measure[form][0]), depth + 1);
  }
  if (["count", "distinct"].includes(measure.aggregate)) return measure.weights ? "decimal" : "count";
  const unit = fieldOf(measure.dataset, measure.field)?.unit;
  if (unit === "amount") return "amount";
  const whole = ["sum", "min", "max"].includes(measure.aggregate) && !measure.weights && unit === "number";
  return whole ? "count" : "decimal";
}

export function unitLabel(unit) {
  return { amount: ed.catalogue.currency, share: "%", days: t("days"), months: t("months"), years: t("years") }[unit] ?? "";
}
