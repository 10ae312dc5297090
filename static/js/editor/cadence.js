// When tiers are reviewed: of an edition, and of a tier that has reviews of its own.

import { field, h, numberBox, put, selectBox, several } from "./dom.js";
import { ed, t } from "./state.js";

const START = { week: { on: 1 }, month: { on: 1 }, year: { on: "01-01" } };

/** The reviews that `holder` has as `name`. `own`: every night is said too; `reminders`: who would lose a tier can be told before. */
export function cadence(holder, name, at, { own = false, reminders = false } = {}) {
  const chosen = holder[name] ?? { every: "day" };
  const choose = (every) => put(holder, name, every === "day" && !own ? undefined : { every, ...START[every] }, { redraw: true });
  const months = ed.catalogue.months.map((text, index) => [String(index + 1), text]);
  return h("div", { class: "pp-ed-row", "data-path": at },
    field(t("Reviewed"), selectBox(chosen.every, ed.catalogue.cadences, choose, { at: `${at}.every` })),
    chosen.every === "week"
      ? field(t("On"), selectBox(String(chosen.on ?? 1), ed.catalogue.weekdays.map((text, index) => [String(index + 1), text]), (value) => { chosen.on = Number(value); ed.touch(); }, { at: `${at}.on` }))
      : null,
    chosen.every === "month" ? field(t("On day"), numberBox(chosen.on ?? 1, (value) => { chosen.on = value ?? 1; ed.touch(); }, { at: `${at}.on`, whole: true, min: 1, max: 31 })) : null,
    chosen.every === "year" ? dayOfYear(chosen, "on", `${at}.on`) : null,
    ["quarter", "half_year"].includes(chosen.every)
      ? field(t("The year starts in"), selectBox(String(chosen.starts_month ?? 1), months, (value) => put(chosen, "starts_month", value === "1" ? undefined : Number(value)), { at: `${at}.starts_month` }))
      : null,
    reminders && !["day", "never"].includes(chosen.every) ? warnings(chosen, at, t("Told so many days before, who would not keep its tier")) : null,
    h("div", { "data-problems": "" }),
  );
}

/** Days before something, the most first. */
export function warnings(holder, at, name) {
  return field(name, several(holder.warn_days ?? [], (next) => put(holder, "warn_days", next.length ? [...next].sort((a, b) => b - a) : undefined), {
    at: `${at}.warn_days`, name, clean: (text) => (/^\d+$/.test(text) ? Number(text) : ""),
  }));
}

/** A day of any year, as "03-01". */
export function dayOfYear(holder, key, at) {
  const [month, day] = (holder[key] ?? "01-01").split("-");
  const set = (nextMonth, nextDay) => {
    holder[key] = `${nextMonth}-${String(nextDay).padStart(2, "0")}`;
    ed.touch();
  };
  let [chosenMonth, chosenDay] = [month, day];
  return field(t("Day of the year"), h("span", { class: "pp-ed-pair" },
    numberBox(Number(day), (value) => set(chosenMonth, (chosenDay = value ?? 1)), { at: `${at}.day`, name: t("Day"), whole: true, min: 1, max: 31 }),
    selectBox(month, ed.catalogue.months.map((name, index) => [String(index + 1).padStart(2, "0"), name]), (value) => set((chosenMonth = value), chosenDay), { at: `${at}.month`, name: t("Month") }),
  ));
}
