// A tier or a distinction: what it is called, what it asks, what it gives.

import { cadence, dayOfYear } from "./cadence.js";
import { card, check, field, h, iconButton, numberBox, put, selectBox, textBox, texts, textsField } from "./dom.js";
import { ruleEditor } from "./rule.js";
import { ed, renameCode, say, slug, t } from "./state.js";

const COLORS = ["#8a6d3b", "#4f7394", "#b08d2e", "#5b6c7d", "#7a4f94", "#16703f"];
const fresh = new WeakSet(); // made on this page: the code follows the name

const codes = (but) => [...ed.doc.tiers, ...ed.doc.distinctions].filter((one) => one !== but).map((one) => one.code);

export function addTier() {
  const number = ed.doc.tiers.length + 1;
  const tier = { code: slug(`level-${number}`, codes()), name: {}, color: COLORS[(number - 1) % COLORS.length] };
  fresh.add(tier);
  ed.doc.tiers.push(tier);
  return number - 1;
}

export function addDistinction() {
  const number = ed.doc.distinctions.length + 1;
  const distinction = { code: slug(`distinction-${number}`, codes()), name: {}, color: COLORS[(number + 3) % COLORS.length] };
  fresh.add(distinction);
  ed.doc.distinctions.push(distinction);
  return number - 1;
}

function rename(holder, text) {
  const code = slug(text, codes(holder));
  if (!code) return;
  renameCode(holder.code, code);
  holder.code = code;
}

function about(holder, at) {
  const follow = () => {
    if (!fresh.has(holder)) return;
    rename(holder, say(holder.name));
    const box = document.querySelector(`[data-at="${CSS.escape(`${at}.code`)}"]`);
    if (box) box.value = holder.code;
  };
  const code = textBox(holder.code, (text) => {
    fresh.delete(holder);
    rename(holder, text);
    ed.redraw();
  }, { at: `${at}.code`, max: 40, lazy: true });
  const color = h("input", {
    type: "color", class: "pp-ed-color", value: holder.color, "data-at": `${at}.color`,
    on: { input: (event) => { holder.color = event.target.value; ed.touch(); } },
  });
  return card(
    null,
    textsField(t("Name"), holder, "name", { at: `${at}.name`, required: true, after: follow }),
    textsField(t("In one sentence"), holder, "summary", { at: `${at}.summary`, long: true }),
    h("div", { class: "pp-ed-row" },
      field(t("Code"), code, { help: t("The same from edition to edition: placements and commission plans know it by this."), path: `${at}.code` }),
      field(t("Colour"), color),
    ),
    h("div", { "data-path": at }, h("div", { "data-problems": "" })),
  );
}

function holding(holder, at) {
  const holds = holder.holds;
  const kind = !holds ? "" : "until" in holds ? "until" : "months";
  const choose = (next) => put(holder, "holds", { months: { months: 12 }, until: { until: "03-01" } }[next], { redraw: true });
  return h("div", { class: "pp-ed-row", "data-path": `${at}.holds` },
    field(t("Once earned, held at least"), selectBox(kind, [["months", t("so many months")], ["until", t("up to a day of the year")]], choose, { at: `${at}.holds.kind`, empty: t("no fixed time") })),
    kind === "months" ? field(t("Months"), numberBox(holds.months, (value) => { holds.months = value; ed.touch(); }, { at: `${at}.holds.months`, whole: true, min: 1 })) : null,
    kind === "until" ? dayOfYear(holds, "until", `${at}.holds.until`) : null,
    h("div", { "data-problems": "" }),
  );
}

/** What partners read of a rule, in each language; the server fills it. */
function words(path) {
  return h("div", { class: "pp-ed-words", "data-words-for": path, "aria-live": "polite", hidden: true });
}

function rules(holder, at, { earned }) {
  const keep = "keep" in holder;
  return [
    earned
      ? card(t("To reach it"), ruleEditor(holder, "earn", `${at}.earn`, { none: t("No rule yet: nobody reaches it.") }), words(`${at}.earn`))
      : null,
    h("section", { class: "pp-card pp-ed-card" },
      h("h3", { class: "pp-title" }, t("To keep it")),
      keep || !earned ? null : h("p", { class: "pp-muted" }, t("What earns it keeps it. Give another rule where keeping asks for less.")),
      ruleEditor(holder, "keep", `${at}.keep`),
      words(`${at}.keep`),
    ),
  ];
}

function ownReviews(tier, at) {
  const toggle = (name) => (on) => put(tier, name, on ? { every: "year", on: "01-01" } : undefined, { redraw: true });
  const own = (name, title, options) => [
    check(title, tier[name], toggle(name), { at: `${at}.${name}.own` }),
    tier[name] ? cadence(tier, name, `${at}.${name}`, { ...options, own: true }) : null,
  ];
  return [
    tier.granted_only ? null : own("promotion", t("Given on nights of its own")),
    own("demotion", t("Lost on nights of its own"), { reminders: true }),
  ];
}

export function tierForm(index) {
  const tier = ed.doc.tiers[index];
  const at = `tiers[${index}]`;
  if (index === 0) {
    return [
      about(tier, at),
      card(t("To reach it"), h("p", { class: "pp-muted" }, t("Enrolling gives the entry tier; it has no rule.")), h("div", { "data-path": `${at}.earn` }, h("div", { "data-problems": "" }))),
      benefits(tier, at),
    ];
  }
  return [
    about(tier, at),
    card(
      t("How it is given"),
      check(t("By invitation"), tier.granted_only, (on) => put(tier, "granted_only", on, { redraw: true }), { at: `${at}.granted_only`, help: t("Nobody earns it; staff grant it.") }),
      tier.granted_only ? null : check(t("Staff confirm it"), tier.confirm, (on) => put(tier, "confirm", on), { at: `${at}.confirm`, help: t("Who qualifies is proposed, and holds the tier when staff confirm it.") }),
      holding(tier, at),
      ownReviews(tier, at),
    ),
    rules(tier, at, { earned: !tier.granted_only || "earn" in tier }),
    benefits(tier, at),
  ];
}

export function distinctionForm(index) {
  const distinction = ed.doc.distinctions[index];
  const at = `distinctions[${index}]`;
  return [
    about(distinction, at),
    card(t("How it is given"), h("p", { class: "pp-muted" }, t("An award beside the ladder, held together with any tier.")), holding(distinction, at)),
    rules(distinction, at, { earned: true }),
  ];
}

function benefits(tier, at) {
  const given = tier.benefits ?? [];
  const known = ed.catalogue.benefits;
  const left = known.filter((one) => !given.some((other) => other.code === one.code)).map((one) => [one.code, one.name]);
  const add = (code) => {
    if (!code) return;
    const order = (one) => known.findIndex((other) => other.code === one.code);
    tier.benefits = [...given, { code }].sort((one, other) => order(one) - order(other));
    ed.redraw();
  };
  const remove = (one) => {
    tier.benefits = given.filter((other) => other !== one);
    if (!tier.benefits.length) delete tier.benefits;
    ed.redraw();
  };
  return card(
    t("What it gives"),
    known.length ? null : h("p", { class: "pp-muted" }, t("The program has no benefits yet: add them on the program’s page.")),
    h("ul", { class: "pp-ed-benefits" }, given.map((one, index) => {
      const place = `${at}.benefits[${index}]`;
      const benefit = known.find((other) => other.code === one.code);
      const counted = ["quantity", "money"].includes(benefit?.kind) || "quantity" in one;
      return h("li", { class: "pp-ed-given", "data-path": place },
        h("p", { class: "pp-label" }, benefit?.name ?? one.code),
        h("div", { class: "pp-ed-given__what" },
          h("fieldset", {}, h("legend", { class: "pp-ed-help" }, t("Terms in words")), texts(one, "terms", { at: `${place}.terms` })),
          counted
            ? h("div", { class: "pp-ed-row" },
                field(t("How much"), numberBox(one.quantity, (value) => put(one, "quantity", value === undefined ? undefined : String(value)), { at: `${place}.quantity`, min: 0, unit: benefit?.kind === "money" ? ed.catalogue.currency : "" })),
                field(t("Per"), selectBox(one.per ?? "", ed.catalogue.pers, (value) => put(one, "per", value), { at: `${place}.per`, empty: t("while the tier is held") })),
              )
            : null,
        ),
        iconButton("delete", t("Take “{name}” out", { name: benefit?.name ?? one.code }), () => remove(one), { at: `${place}.remove`, danger: true }),
        h("div", { "data-problems": "" }),
      );
    })),
    left.length ? h("div", { class: "pp-ed-actions" }, selectBox("", left, add, { at: `${at}.benefits.add`, name: t("Add a benefit"), empty: t("Add a benefit…") })) : null,
  );
}
