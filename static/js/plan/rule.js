// A rule of a plan: what earns, whom, how much. Rates and amounts are exact texts in the document.

import { card, check, field, h, iconButton, button, numberBox, put, selectBox, several, textBox, textsField } from "../editor/dom.js";
import { filterList } from "../editor/filters.js";
import { ed, label, say, slug, t } from "../editor/state.js";

const fresh = new WeakSet(); // made on this page: the code follows the name
const OTHERS = "others";

const codes = (but) => ed.doc.rules.filter((one) => one !== but).map((one) => one.code);
const eventOf = (rule) => ed.catalogue.events.find((one) => one.key === rule.event) ?? { key: rule.event, bases: [], customers: false };
const text = (value) => (value === undefined ? "" : String(value));
const money = () => ed.doc.plan.currency || t("currency of the plan");

export function addRule() {
  const number = ed.doc.rules.length + 1;
  const rule = { code: slug(`rule-${number}`, codes()), name: {}, event: "sale", pays: "share", rate: "0.1" };
  fresh.add(rule);
  ed.doc.rules.push(rule);
  return number - 1;
}

export function duplicateRule(index) {
  const copied = structuredClone(ed.doc.rules[index]);
  copied.code = slug(copied.code, codes());
  ed.doc.rules.splice(index + 1, 0, copied);
}

export function ruleForm(index) {
  const rule = ed.doc.rules[index];
  const at = `rules[${index}]`;
  return [
    card(null, h("div", { class: "pp-ed-words", "data-words-for": at, "aria-live": "polite", hidden: true }), about(rule, at)),
    earns(rule, at),
    pays(rule, at),
    whom(rule, at),
    limits(rule, at),
  ];
}

function about(rule, at) {
  const follow = () => {
    const code = fresh.has(rule) && slug(say(rule.name), codes(rule));
    if (!code) return;
    rule.code = code;
    const box = document.querySelector(`[data-at="${CSS.escape(`${at}.code`)}"]`);
    if (box) box.value = code;
  };
  const code = textBox(rule.code, (typed) => {
    fresh.delete(rule);
    rule.code = slug(typed, codes(rule)) || rule.code;
    ed.redraw();
  }, { at: `${at}.code`, max: 40, lazy: true });
  return [
    textsField(t("Name"), rule, "name", { at: `${at}.name`, required: true, after: follow }),
    field(t("Code"), code, { help: t("Lines of the ledger name the rule by it. Keep it from plan to plan: what differs is then posted, not paid twice."), path: `${at}.code` }),
    h("div", { "data-path": at }, h("div", { "data-problems": "" })),
  ];
}

// --- What earns ------------------------------------------------------------------------------------

function earns(rule, at) {
  const event = eventOf(rule);
  const choose = (key) => {
    const next = ed.catalogue.events.find((one) => one.key === key);
    rule.event = key;
    delete rule.when;
    if (rule.base && rule.base !== "earned" && !next.bases.includes(rule.base)) delete rule.base;
    if (!next.bases.length && rule.pays === "share") setPays(rule, "fixed");
    if (!next.customers) delete rule.months;
    ed.redraw();
  };
  return card(
    t("What earns"),
    field(t("Event"), selectBox(rule.event, ed.catalogue.events.map((one) => [one.key, one.label]), choose, { at: `${at}.event` }), { path: `${at}.event` }),
    h("p", { class: "pp-ed-label" }, t("Only where all of this holds")),
    filterList(rule, "when", { at: `${at}.when`, dataset: rule.event }),
    event.customers
      ? field(t("Only in the customer’s first months"), numberBox(rule.months, (value) => put(rule, "months", value), { at: `${at}.months`, whole: true, min: 1 }), { help: t("Empty: as long as the customer buys."), path: `${at}.months` })
      : null,
  );
}

// --- How much --------------------------------------------------------------------------------------

/** Another way to pay: rates of the one mean nothing in the other. */
function setPays(rule, next) {
  const fresh_rate = next === "share" ? "0.1" : "100";
  if ((rule.pays === "share") !== (next === "share")) {
    if (rule.bands) rule.bands.steps = [{ from: "0", rate: fresh_rate }];
    else rule.rate = fresh_rate;
    delete rule.base;
  }
  rule.pays = next;
}

function pays(rule, at) {
  const event = eventOf(rule);
  const ways = ed.catalogue.pays.filter(([key]) => key !== "share" || event.bases.length || rule.to || rule.pays === key);
  const bases = [...ed.catalogue.bases.filter(([key]) => event.bases.includes(key)), ...(rule.to ? [["earned", label(ed.catalogue.bases, "earned")]] : [])];
  const banded = "bands" in rule;
  const band = (on) => {
    if (on === "bands") {
      rule.bands = { over: "year", steps: [{ from: "0", rate: rule.rate ?? "0.1" }] };
      delete rule.rate;
    } else {
      rule.rate = rule.bands.steps[0]?.rate ?? "0.1";
      delete rule.bands;
    }
    ed.redraw();
  };
  return card(
    t("How much"),
    h(
      "div",
      { class: "pp-ed-row" },
      field(t("Pays"), selectBox(rule.pays, ways, (next) => { setPays(rule, next); ed.redraw(); }, { at: `${at}.pays` }), { path: `${at}.pays` }),
      rule.pays === "share"
        ? field(t("Of"), selectBox(rule.base ?? "net", bases, (next) => put(rule, "base", next === "net" ? undefined : next, { redraw: true }), { at: `${at}.base` }), { path: `${at}.base` })
        : null,
      field(t("At"), selectBox(banded ? "bands" : "rate", [["rate", t("one rate")], ["bands", t("rates in bands of a total")]], band, { at: `${at}.mode` })),
    ),
    banded ? bands(rule, at) : rates(rule, "rate", rule, `${at}.rate`),
    h("div", { "data-path": `${at}.base` }, h("div", { "data-problems": "" })),
  );
}

function rateBox(rule, value, change, { at, name }) {
  const share = rule.pays === "share";
  return numberBox(value, (next) => { change(text(next)); ed.touch(); }, { at, name, percent: share, unit: share ? "%" : money(), min: 0 });
}

/** A rate for all tiers, or one for each: `holder[key]`. */
function rates(rule, key, holder, at) {
  const rate = holder[key];
  const byTier = typeof rate === "object";
  const toggle = (on) => {
    if (on) holder[key] = Object.fromEntries(ed.catalogue.tiers.map(([code]) => [code, rate]));
    else holder[key] = Object.values(rate)[0] ?? "0";
    ed.redraw();
  };
  const rows = byTier ? [...ed.catalogue.tiers, ...Object.keys(rate).filter((code) => code !== OTHERS && !ed.catalogue.tiers.some(([known]) => known === code)).map((code) => [code, code]), [OTHERS, t("All others")]] : [];
  const set = (code) => (next) => {
    const table = { ...holder[key] };
    if (next === "") delete table[code];
    else table[code] = next;
    holder[key] = table;
  };
  return h(
    "div",
    { class: "pp-ed-rates", "data-path": at },
    byTier
      ? h("ul", { class: "pp-ed-pairs" }, rows.map(([code, name]) => h("li", {}, h("span", {}, name), rateBox(rule, rate[code], set(code), { at: `${at}.${code}`, name }))))
      : field(t("Rate"), rateBox(rule, rate, (next) => { holder[key] = next; }, { at, name: t("Rate") })),
    ed.catalogue.tiers.length ? check(t("Another rate for each tier"), byTier, toggle, { at: `${at}.by-tier`, help: byTier ? t("A tier without a rate is not paid by this rule.") : undefined }) : null,
    h("div", { "data-problems": "" }),
  );
}

function bands(rule, at) {
  const banded = rule.bands;
  const place = `${at}.bands`;
  const target = banded.over === "target";
  const choose = (over) => {
    banded.over = over;
    if (over === "target") {
      banded.target = banded.target ?? ed.catalogue.targets[0] ?? "revenue";
      delete banded.starts_month;
    } else delete banded.target;
    if (over === "month") delete banded.starts_month;
    ed.redraw();
  };
  const unit = target ? "%" : rule.pays === "share" ? money() : rule.pays === "unit" ? t("pieces") : t("facts");
  const add = () => {
    const last = banded.steps.at(-1);
    banded.steps.push({ from: "", rate: structuredClone(last?.rate ?? "0.1") });
    ed.redraw();
  };
  return h(
    "div",
    { class: "pp-ed-inset", "data-path": place },
    h(
      "div",
      { class: "pp-ed-row" },
      field(t("The total of"), selectBox(banded.over, ed.catalogue.over, choose, { at: `${place}.over` }), { path: `${place}.over` }),
      target ? field(t("Key of the plan target"), textBox(banded.target, (value) => { banded.target = value; ed.touch(); }, { at: `${place}.target`, max: 40 }), { path: `${place}.target`, help: t("As plan targets name it: {keys}", { keys: ed.catalogue.targets.join(", ") || "revenue" }) }) : null,
      target || banded.over === "month"
        ? null
        : field(t("The year starts in"), selectBox(String(banded.starts_month ?? 1), ed.catalogue.months.map((name, number) => [String(number + 1), name]), (value) => put(banded, "starts_month", value === "1" ? undefined : Number(value)), { at: `${place}.starts_month` })),
    ),
    check(t("The band reached counts for everything"), banded.whole, (on) => put(banded, "whole", on), { at: `${place}.whole`, help: t("What was paid at a lower rate gets the difference. Otherwise each part is paid at its own band’s rate.") }),
    h(
      "ol",
      { class: "pp-ed-cases", "data-path": `${place}.steps` },
      banded.steps.map((step, index) => {
        const own = `${place}.steps[${index}]`;
        return h(
          "li",
          { "data-path": own },
          h(
            "div",
            { class: "pp-ed-row pp-ed-band" },
            field(t("From"), numberBox(step.from, (value) => { step.from = text(value); ed.touch(); }, { at: `${own}.from`, min: 0, unit, percent: target, name: t("From") }), { path: `${own}.from` }),
            rates(rule, "rate", step, `${own}.rate`),
            iconButton("delete", t("Remove"), () => { banded.steps.splice(index, 1); ed.redraw(); }, { at: `${own}.remove`, danger: true, disabled: banded.steps.length === 1 }),
          ),
          h("div", { "data-problems": "" }),
        );
      }),
      h("div", { "data-problems": "" }),
    ),
    button(t("Add a band"), add, { symbol: "add", at: `${place}.add` }),
    h("div", { "data-problems": "" }),
  );
}

// --- Whom ------------------------------------------------------------------------------------------

function whom(rule, at) {
  const to = (next) => {
    put(rule, "to", next);
    if (!next && rule.base === "earned") delete rule.base;
    ed.redraw();
  };
  return card(
    t("Whom"),
    field(t("Paid to"), selectBox(rule.to ?? "", [["", t("the partner")], ...ed.catalogue.to], to, { at: `${at}.to` }), { path: `${at}.to` }),
    field(t("Only for these tiers"), several(rule.tiers ?? [], (next) => (next.length ? (rule.tiers = next) : delete rule.tiers), { at: `${at}.tiers`, name: t("Only for these tiers"), choices: ed.catalogue.tiers }), { help: t("Empty: for every tier that has a rate."), path: `${at}.tiers` }),
    check(t("Pays beside other rules"), rule.adds, (on) => put(rule, "adds", on), { at: `${at}.adds`, help: t("Otherwise the first rule that fits pays, and the ones after it do not.") }),
    check(t("Also for partners without a tier"), rule.without_tier, (on) => put(rule, "without_tier", on), { at: `${at}.without_tier` }),
  );
}

// --- Limits ----------------------------------------------------------------------------------------

function limits(rule, at) {
  const box = (bound, key, name) =>
    numberBox(rule[bound]?.[key], (value) => {
      const table = { ...rule[bound] };
      if (value === undefined) delete table[key];
      else table[key] = String(value);
      put(rule, bound, Object.keys(table).length ? table : undefined);
    }, { at: `${at}.${bound}.${key}`, min: 0, name, unit: money() });
  return h(
    "details",
    { class: "pp-card pp-ed-card pp-ed-more", open: Boolean(rule.at_least || rule.at_most), "data-path": `${at}.limits` },
    h("summary", { class: "pp-title" }, t("Limits")),
    h("p", { class: "pp-ed-help" }, t("Of what the rule pays: on one line, by one customer, in a period of the calendar.")),
    h(
      "ul",
      { class: "pp-ed-limits" },
      ed.catalogue.limits.map(([key, name]) =>
        h(
          "li",
          {},
          h("span", { class: "pp-ed-label" }, name),
          h("div", { "data-path": `${at}.at_least.${key}` }, h("span", { class: "pp-ed-help" }, t("at least")), box("at_least", key, `${t("at least")} ${name}`), h("div", { "data-problems": "" })),
          h("div", { "data-path": `${at}.at_most.${key}` }, h("span", { class: "pp-ed-help" }, t("at most")), box("at_most", key, `${t("at most")} ${name}`), h("div", { "data-problems": "" })),
        )),
    ),
    h("div", { "data-problems": "" }),
  );
}
