// What holds for the whole edition: the life of a tier, country groups, the exchange table.

import { cadence, warnings } from "./cadence.js";
import { button, card, check, dayBox, field, h, iconButton, numberBox, put, selectBox, several, textBox } from "./dom.js";
import { ed, say, slug, t } from "./state.js";

// --- Life of a tier --------------------------------------------------------------------------------

export function lifeForm() {
  const life = ed.doc.life;
  return [
    card(t("When a tier is given"), cadence(life, "promotion", "life.promotion"), steps(life, "up_by", t("At most so many tiers up at once"))),
    card(t("When a tier is lost"), cadence(life, "demotion", "life.demotion", { reminders: true }), steps(life, "down_by", t("At most so many tiers down at once")), grace(life), newcomers(life)),
    card(t("Deadlines"), h("p", { class: "pp-muted" }, t("An enrollment has so many months from its start to reach a tier.")), deadlines(life)),
    card(t("Partners who were there before this edition"), existing(life)),
  ];
}

function steps(life, key, name) {
  return field(name, numberBox(life[key], (value) => put(life, key, value), { at: `life.${key}`, whole: true, min: 1 }), { help: t("Empty: any number."), path: `life.${key}` });
}

function grace(life) {
  const held = life.grace;
  return h("div", { "data-path": "life.grace" },
    check(t("Time of grace"), held, (on) => put(life, "grace", on ? { months: 3, warn_days: [60, 30, 7] } : undefined, { redraw: true }), {
      at: "life.grace.on", help: t("Who falls below its tier keeps it so long, told what is missing."),
    }),
    held
      ? h("div", { class: "pp-ed-row" },
          field(t("Months"), numberBox(held.months, (value) => { held.months = value; ed.touch(); }, { at: "life.grace.months", whole: true, min: 1 })),
          warnings(held, "life.grace", t("Told again so many days before its end")),
        )
      : null,
    h("div", { "data-problems": "" }),
  );
}

function newcomers(life) {
  return field(
    t("Nobody loses a tier in the first months of enrollment"),
    numberBox(life.newcomers?.months, (value) => put(life, "newcomers", value ? { months: value } : undefined), { at: "life.newcomers", whole: true, min: 1, unit: t("months") }),
    { path: "life.newcomers" },
  );
}

function deadlines(life) {
  const list = life.deadlines ?? [];
  const tiers = ed.doc.tiers.slice(1).map((one) => [one.code, say(one.name) || one.code]);
  const add = () => {
    life.deadlines = [...list, { tier: tiers[0]?.[0] ?? "", months: 12, then: "warn" }];
    ed.redraw();
  };
  const remove = (index) => {
    list.splice(index, 1);
    if (!list.length) delete life.deadlines;
    ed.redraw();
  };
  return h("div", {},
    h("ul", { class: "pp-ed-pairs" }, list.map((one, index) => {
      const at = `life.deadlines[${index}]`;
      return h("li", { "data-path": at },
        selectBox(one.tier, tiers, (value) => { one.tier = value; ed.touch(); }, { at: `${at}.tier`, name: t("Tier") }),
        numberBox(one.months, (value) => { one.months = value; ed.touch(); }, { at: `${at}.months`, name: t("Months"), whole: true, min: 1, unit: t("months") }),
        selectBox(one.then, [["warn", t("then tell staff and partner")], ["end", t("then the enrollment ends")]], (value) => { one.then = value; ed.touch(); }, { at: `${at}.then`, name: t("Then") }),
        check(t("and it is kept from then on"), one.keep, (on) => put(one, "keep", on || undefined), { at: `${at}.keep` }),
        iconButton("delete", t("Remove"), () => remove(index), { at: `${at}.remove`, danger: true }),
        h("div", { "data-problems": "" }),
      );
    })),
    button(t("Add a deadline"), add, { symbol: "add", at: "life.deadlines.add" }),
  );
}

function existing(life) {
  const kind = !life.existing ? "" : "at" in life.existing ? "at" : "from";
  const choose = (next) => put(life, "existing", { from: { from: ed.catalogue.starts_on }, at: { at: "anniversary" } }[next], { redraw: true });
  return h("div", { class: "pp-ed-row", "data-path": "life.existing" },
    field(t("They may lose a tier by it"), selectBox(kind, [["from", t("from a day on")], ["at", t("from their first anniversary in it")]], choose, { at: "life.existing.kind", empty: t("at once") })),
    kind === "from" ? field(t("Day"), dayBox(life.existing.from, (value) => { life.existing.from = value; ed.touch(); }, { at: "life.existing.from" })) : null,
    h("div", { "data-problems": "" }),
  );
}

// --- Country groups --------------------------------------------------------------------------------

export function countriesForm() {
  const groups = ed.doc.country_groups;
  const rename = (from, text) => {
    const to = slug(text, Object.keys(groups).filter((one) => one !== from));
    if (!to || to === from) return ed.redraw();
    ed.doc.country_groups = Object.fromEntries(Object.entries(groups).map(([name, list]) => [name === from ? to : name, list]));
    const named = JSON.stringify({ tiers: ed.doc.tiers, distinctions: ed.doc.distinctions }, (_key, value) =>
      value?.partner === "country_group" ? { ...value, value: [value.value].flat().map((one) => (one === from ? to : one)) } : value);
    Object.assign(ed.doc, JSON.parse(named));
    return ed.redraw();
  };
  const add = () => {
    groups[slug("group", Object.keys(groups))] = [];
    ed.redraw();
  };
  return card(
    null,
    h("p", { class: "pp-muted" }, t("Names for lists of countries. Rules can ask which group a partner’s main location is in.")),
    h("ul", { class: "pp-ed-benefits" }, Object.entries(groups).map(([name, list]) => {
      const at = `country_groups.${name}`;
      return h("li", { "data-path": at },
        h("div", { class: "pp-ed-node__head" },
          field(t("Name"), textBox(name, (text) => rename(name, text), { at: `${at}.name`, max: 40, lazy: true })),
          h("div", { class: "pp-ed-tools" }, iconButton("delete", t("Remove"), () => { delete groups[name]; ed.redraw(); }, { at: `${at}.remove`, danger: true })),
        ),
        several(list, (next) => { groups[name] = next; }, { at: `${at}.list`, name: t("Countries"), choices: ed.catalogue.countries }),
        h("div", { "data-problems": "" }),
      );
    })),
    button(t("Add a group of countries"), add, { symbol: "add", at: "country_groups.add" }),
  );
}

// --- Exchange table --------------------------------------------------------------------------------

export function exchangeForm() {
  const table = ed.doc.exchange;
  const { currency } = ed.catalogue;
  const left = ed.catalogue.currencies.filter(([code]) => code !== currency && !(code in table));
  const add = (code) => {
    if (code) table[code] = { amount: "100", is: "100" };
    ed.redraw();
  };
  const number = (code, key) =>
    numberBox(table[code][key], (value) => { table[code][key] = value === undefined ? "" : String(value); ed.touch(); }, {
      at: `exchange.${code}.${key}`, min: 0, unit: key === "amount" ? code : currency, name: key === "amount" ? t("So much") : t("counts as"),
    });
  return card(
    null,
    h("p", { class: "pp-muted" }, t("What amounts in other currencies count as. A currency that is not here does not count.")),
    h("ul", { class: "pp-ed-pairs" }, Object.keys(table).map((code) =>
      h("li", { "data-path": `exchange.${code}` },
        number(code, "amount"), h("span", {}, t("counts as")), number(code, "is"),
        iconButton("delete", t("Remove"), () => { delete table[code]; ed.redraw(); }, { at: `exchange.${code}.remove`, danger: true }),
        h("div", { "data-problems": "" }),
      ))),
    h("div", { class: "pp-ed-actions" }, selectBox("", left, add, { at: "exchange.add", name: t("Add a currency"), empty: t("Add a currency…") })),
  );
}
