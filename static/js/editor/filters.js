// Filters of facts: comparisons of fields, in groups to any depth.

import { button, dayBox, field, h, iconButton, numberBox, put, selectBox, several, textBox } from "./dom.js";
import { datasetOf, ed, fieldOf, prefixOf, t, unitLabel } from "./state.js";
import { windowFields } from "./windows.js";

const GROUPS = ["all", "any", "none"];
const groupOf = (filter) => GROUPS.find((kind) => kind in filter);

/** The filters of `holder[key]`: all must hold. */
export function filterList(holder, key, { at, dataset }) {
  const list = holder[key] ?? [];
  return h(
    "div",
    { class: "pp-ed-filters", "data-path": at },
    list.length ? rows(list, { at, dataset, emptied: () => delete holder[key] }) : null,
    adders(list, dataset, () => (holder[key] = list), at),
  );
}

function adders(list, dataset, before, at) {
  const add = (filter) => {
    before();
    list.push(filter);
    ed.redraw();
  };
  const first = datasetOf(dataset)?.fields[0]?.key ?? "";
  return h(
    "div",
    { class: "pp-ed-actions" },
    button(t("Add a filter"), () => add(fresh(dataset, first)), { symbol: "add", at: `${at}.add` }),
    button(t("Add a group"), () => add({ any: [fresh(dataset, first)] }), { symbol: "account_tree", at: `${at}.group` }),
  );
}

function fresh(dataset, key) {
  const known = fieldOf(dataset, key);
  if (known?.unit === "yes_no") return { field: key, value: true };
  if (known?.unit === "day") return { field: key, is: "within", window: { last: 12, unit: "months" } };
  if (["amount", "decimal", "number"].includes(known?.unit)) return { field: key, is: "at_least", value: 1 };
  return { field: key, value: known?.choices?.[0]?.[0] ?? "" };
}

function rows(list, { at, dataset, emptied, outside }) {
  return h(
    "ul",
    { class: "pp-ed-tree" },
    list.map((filter, index) => {
      const place = `${at}[${index}]`;
      const kind = groupOf(filter);
      const remove = () => {
        list.splice(index, 1);
        if (!list.length) emptied();
        ed.redraw();
      };
      return h(
        "li",
        { class: "pp-ed-node", "data-path": place },
        kind ? group(filter, kind, { place, dataset, list, index }) : comparison(filter, { place, dataset, list, index }),
        h(
          "div",
          { class: "pp-ed-tools" },
          iconButton("arrow_upward", t("Move up"), () => swap(list, index, -1), { at: `${place}.up`, disabled: index === 0 }),
          iconButton("arrow_downward", t("Move down"), () => swap(list, index, 1), { at: `${place}.down`, disabled: index === list.length - 1 }),
          outside
            ? iconButton("format_indent_decrease", t("Move out of the group"), () => outside(index), { at: `${place}.out` })
            : null,
          iconButton("delete", t("Remove"), remove, { at: `${place}.remove`, danger: true }),
        ),
        h("div", { "data-problems": "" }),
      );
    }),
  );
}

function swap(list, index, by) {
  [list[index], list[index + by]] = [list[index + by], list[index]];
  ed.redraw();
}

function group(filter, kind, { place, dataset, list, index }) {
  const inside = filter[kind];
  const change = (next) => {
    delete filter[kind];
    filter[next] = inside;
    ed.redraw();
  };
  const out = (which) => {
    list.splice(index + 1, 0, ...inside.splice(which, 1));
    if (!inside.length) list.splice(index, 1);
    ed.redraw();
  };
  return h(
    "div",
    { class: "pp-ed-group" },
    selectBox(kind, ed.catalogue.filter_groups, change, { at: `${place}.kind`, name: t("Kind of group") }),
    rows(inside, { at: `${place}.${kind}`, dataset, emptied: () => list.splice(index, 1), outside: out }),
    adders(inside, dataset, () => {}, `${place}.${kind}`),
  );
}

function comparison(filter, { place, dataset, list, index }) {
  const known = fieldOf(dataset, filter.field);
  const unit = known?.unit ?? "text";
  const operator = filter.is ?? "equal";
  const replace = (next) => {
    list[index] = next;
    ed.redraw();
  };
  const operate = (next) => {
    const { field: key, value } = filter;
    const many = ["in", "not_in"].includes(next);
    if (["empty", "not_empty"].includes(next)) replace({ field: key, is: next });
    else if (next === "within") replace({ field: key, is: next, window: { last: 12, unit: "months" } });
    else {
      const one = Array.isArray(value) ? value[0] : value;
      const kept = many ? (Array.isArray(value) ? value : one === undefined || one === "" ? [] : [one]) : (one ?? fresh(dataset, key).value ?? "");
      replace(next === "equal" ? { field: key, value: kept } : { field: key, is: next, value: kept });
    }
  };
  return h(
    "div",
    { class: "pp-ed-row pp-ed-row--tight" },
    fieldSelect(filter.field, dataset, (key) => replace(fresh(dataset, key)), { at: `${place}.field`, name: t("Field") }),
    selectBox(operator, ed.catalogue.filter_operators[unit], operate, { at: `${place}.is`, name: t("Comparison") }),
    value(filter, operator, known, unit, place),
  );
}

/** The choice of a field of a dataset. A name that the vendor gave (an attribute, a trait) is typed behind its prefix. */
export function fieldSelect(key, dataset, change, { at, name, units, empty }) {
  const source = datasetOf(dataset);
  const fields = (source?.fields ?? []).filter((one) => !units || units.includes(one.unit));
  const prefix = prefixOf(key);
  const options = fields.map((one) => [one.key, one.label]);
  if (!units || units.includes("text")) options.push(...prefixes(source).map(([start, text]) => [start, text]));
  const label = prefixes(source).find(([start]) => start === prefix)?.[2];
  return [
    selectBox(prefix ?? key ?? "", options, change, { at, name, empty }),
    prefix
      ? textBox(key.slice(prefix.length), (text) => change(`${prefix}${text}`), { at: `${at}.name`, name: label, placeholder: label, lazy: true })
      : null,
  ];
}

/** What may stand before a typed name: [prefix, as a choice, as a label]. */
function prefixes(source) {
  const found = source?.attributes ? [["attr:", t("An attribute…"), t("Name of the attribute")]] : [];
  return source?.traits ? [...found, ["trait:", t("A trait of the partner…"), t("Name of the trait")]] : found;
}

function value(filter, operator, known, unit, place) {
  if (["empty", "not_empty"].includes(operator)) return null;
  if (operator === "within") return windowFields(filter, "window", { at: `${place}.window`, bare: true });
  const at = `${place}.value`;
  const name = t("Value");
  const change = (next) => {
    filter.value = next ?? "";
    ed.touch();
  };
  if (["in", "not_in"].includes(operator)) {
    const numbers = ["amount", "decimal", "number"].includes(unit);
    const clean = (text) => (numbers && text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text);
    return several(filter.value ?? [], (next) => (filter.value = next), { at, name, choices: known?.choices, clean });
  }
  if (unit === "yes_no") {
    return selectBox(String(filter.value), [["true", t("Yes")], ["false", t("No")]], (next) => change(next === "true"), { at, name });
  }
  if (unit === "day") return dayBox(filter.value, change, { at, name });
  if (["amount", "decimal", "number"].includes(unit)) return numberBox(filter.value, change, { at, name, unit: unitLabel(unit) });
  if (known?.choices) return selectBox(filter.value, known.choices, change, { at, name });
  return textBox(filter.value, change, { at, name, placeholder: t("Value") });
}

/** Numbers by the values of a field: weights and caps. */
export function tableByField(holder, key, { at, dataset, name, help, cap = false }) {
  const table = holder[key];
  const start = () => {
    const first = datasetOf(dataset)?.fields.find((one) => one.unit === "text");
    holder[key] = { field: first?.key ?? "", values: first?.choices ? { [first.choices[0][0]]: 1 } : {}, ...(cap ? {} : { others: "1" }) };
    ed.redraw();
  };
  if (!table) {
    return h("div", { "data-path": at }, button(name, start, { symbol: "add", at: `${at}.add` }), h("p", { class: "pp-ed-help" }, help));
  }
  const known = fieldOf(dataset, table.field);
  const values = table.values ?? {};
  const setValues = (next) => put(table, "values", Object.keys(next).length ? next : undefined, { redraw: true });
  const left = known?.choices?.filter(([one]) => !(one in values));
  const add = (one) => one && !(one in values) && setValues({ ...values, [one]: 1 });
  return h(
    "fieldset",
    { class: "pp-ed-inset", "data-path": at },
    h("legend", { class: "pp-ed-label" }, name),
    h(
      "div",
      { class: "pp-ed-row pp-ed-row--tight" },
      field(
        t("By the value of"),
        h("span", { class: "pp-ed-pair" }, fieldSelect(table.field, dataset, (next) => { table.field = next; table.values = {}; ed.redraw(); }, { at: `${at}.field`, units: ["text", "number", "yes_no"], name: t("By the value of") })),
      ),
      iconButton("delete", t("Remove"), () => put(holder, key, undefined, { redraw: true }), { at: `${at}.remove`, danger: true }),
    ),
    h(
      "ul",
      { class: "pp-ed-pairs" },
      Object.keys(values).map((one) =>
        h(
          "li",
          {},
          h("span", {}, known?.choices?.find(([choice]) => choice === one)?.[1] ?? one),
          numberBox(values[one], (next) => { values[one] = next ?? 0; ed.touch(); }, { at: `${at}.values.${one}`, name: one }),
          iconButton("close", t("Take “{name}” out", { name: one }), () => { const { [one]: _gone, ...rest } = values; setValues(rest); }),
        ),
      ),
      h(
        "li",
        {},
        left
          ? selectBox("", left, add, { at: `${at}.new`, name: t("Add a value"), empty: t("Add a value…") })
          : textBox("", add, { at: `${at}.new`, name: t("Add a value"), placeholder: t("Add a value…"), lazy: true }),
      ),
      h("li", {}, h("span", {}, t("All others")), numberBox(table.others, (next) => put(table, "others", next), { at: `${at}.others`, name: t("All others") })),
    ),
    h("p", { class: "pp-ed-help" }, help),
    h("div", { "data-problems": "" }),
  );
}
