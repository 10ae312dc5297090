// Which days count: a window chosen from a list, with what it needs and what may stand beside it.

import { check, dayBox, field, h, numberBox, put, selectBox } from "./dom.js";
import { ed, t } from "./state.js";

const BESIDE = ["embargo_days", "ago", "newcomers"];

const START = {
  last: () => ({ last: 12, unit: "months" }),
  to_date: () => ({ kind: "to_date", unit: "year" }),
  last_full: () => ({ kind: "last_full", unit: "quarter" }),
  lifetime: () => ({ kind: "lifetime" }),
  since_enrollment: () => ({ kind: "since_enrollment" }),
  partner_year: () => ({ kind: "partner_year" }),
  between: () => ({ kind: "between", from: `${ed.catalogue.today.slice(0, 4)}-01-01`, to: `${Number(ed.catalogue.today.slice(0, 4)) + 1}-01-01` }),
  today: () => ({ kind: "today" }),
  on: () => ({ kind: "on", day: ed.catalogue.today }),
};

export const kindOf = (window) => window?.kind ?? "last";

/** The window a new measure of this dataset starts with. */
export function freshWindow(dataset) {
  return dataset?.dated ? START.last() : START.today();
}

/** The choice of a window for `holder[key]`. Stocks are read on a day, dated facts over a span. */
export function windowFields(holder, key, { at, stock = false, bare = false }) {
  const window = holder[key] ?? (holder[key] = stock ? START.today() : START.last());
  const kind = kindOf(window);
  const kinds = ed.catalogue.windows.filter(([one]) => ["today", "on"].includes(one) === stock || one === kind);
  const choose = (next) => {
    const beside = Object.fromEntries(BESIDE.filter((name) => name in window).map((name) => [name, window[name]]));
    holder[key] = { ...START[next](), ...(["today", "on"].includes(next) ? {} : beside) };
    ed.redraw();
  };
  return h(
    "div",
    { class: "pp-ed-window", "data-path": at },
    h(
      "div",
      { class: "pp-ed-row" },
      field(t("Which days count"), selectBox(kind, kinds, choose, { at: `${at}.kind` })),
      parameters(window, kind, at),
    ),
    stock || bare ? null : beside(window, at),
    h("div", { "data-problems": "" }),
  );
}

function parameters(window, kind, at) {
  const number = (name, key, options = {}) =>
    field(name, numberBox(window[key], (value) => put(window, key, value), { at: `${at}.${key}`, whole: true, min: 1, ...options }));
  const months = selectBox(
    String(window.starts_month ?? 1),
    ed.catalogue.months.map((name, index) => [String(index + 1), name]),
    (value) => put(window, "starts_month", value === "1" ? undefined : Number(value)),
    { at: `${at}.starts_month` },
  );
  if (kind === "last") {
    return [
      number(t("How many"), "last"),
      field(t("Unit"), selectBox(window.unit, [["months", t("months")], ["days", t("days")]], (value) => put(window, "unit", value), { at: `${at}.unit` })),
    ];
  }
  if (kind === "to_date" || kind === "last_full") {
    const unit = selectBox(window.unit, ed.catalogue.calendar_units, (value) => put(window, "unit", value, { redraw: true }), { at: `${at}.unit` });
    return [
      kind === "last_full"
        ? field(t("How many"), numberBox(window.count ?? 1, (value) => put(window, "count", value === 1 ? undefined : value), { at: `${at}.count`, whole: true, min: 1, max: 120 }))
        : null,
      field(t("Of the calendar"), unit),
      window.unit === "month" ? null : field(t("The year starts in"), months),
    ];
  }
  if (kind === "between") {
    return [
      field(t("From"), dayBox(window.from, (value) => put(window, "from", value), { at: `${at}.from` })),
      field(t("Up to, not including"), dayBox(window.to, (value) => put(window, "to", value), { at: `${at}.to` })),
    ];
  }
  if (kind === "on") return field(t("Day"), dayBox(window.day, (value) => put(window, "day", value), { at: `${at}.day` }));
  if (kind === "partner_year") {
    return check(t("The last full year only"), window.full, (value) => put(window, "full", value), { at: `${at}.full` });
  }
  return null;
}

function beside(window, at) {
  const ago = window.ago ?? {};
  const unit = "days" in ago ? "days" : "months";
  const set = (value, next = unit) => put(window, "ago", value ? { [next]: value } : undefined, { redraw: next !== unit });
  return h(
    "details",
    { class: "pp-ed-more", open: BESIDE.some((name) => name in window) },
    h("summary", {}, t("Earlier, later, newcomers")),
    h(
      "div",
      { class: "pp-ed-row" },
      field(
        t("Leave out the newest days"),
        numberBox(window.embargo_days, (value) => put(window, "embargo_days", value), { at: `${at}.embargo_days`, whole: true, min: 1, max: 366, unit: t("days") }),
        { help: t("For facts that may still be refunded.") },
      ),
      field(
        t("The same so long before"),
        h(
          "span",
          { class: "pp-ed-pair" },
          numberBox(ago[unit], (value) => set(value), { at: `${at}.ago`, whole: true, min: 1, name: t("The same so long before") }),
          selectBox(unit, [["months", t("months")], ["days", t("days")]], (next) => set(ago[unit], next), { at: `${at}.ago.unit`, name: t("Unit") }),
        ),
        { help: t("12 months: last year’s figure, for growth.") },
      ),
      check(t("Shorter for newcomers"), window.newcomers, (value) => put(window, "newcomers", value), {
        at: `${at}.newcomers`, help: t("Never from before the enrollment."),
      }),
    ),
  );
}
