// What holds for every rule of a plan.

import { card, dayBox, field, h, numberBox, put, selectBox, textsField } from "../editor/dom.js";
import { ed, t } from "../editor/state.js";

export function planForm() {
  const plan = ed.doc.plan;
  const number = (key) => numberBox(plan[key], (value) => put(plan, key, value), { at: `plan.${key}`, whole: true, min: 1 });
  return [
    card(
      null,
      textsField(t("Name"), plan, "name", { at: "plan.name", required: true }),
      h(
        "div",
        { class: "pp-ed-row" },
        field(t("Starts on"), dayBox(plan.starts_on, (value) => put(plan, "starts_on", value), { at: "plan.starts_on" }), {
          help: t("The first day of the facts that it pays."), path: "plan.starts_on",
        }),
        field(t("Ends on"), dayBox(plan.ends_on, (value) => put(plan, "ends_on", value), { at: "plan.ends_on" }), {
          help: t("The first day that it no longer pays. Empty: until another plan starts."), path: "plan.ends_on",
        }),
      ),
    ),
    card(
      t("Money"),
      field(
        t("Currency of the plan"),
        selectBox(plan.currency ?? "", ed.catalogue.currencies, (value) => put(plan, "currency", value, { redraw: true }), { at: "plan.currency", empty: t("that of each fact") }),
        { help: t("Needed as soon as a rule names money: fixed amounts, bands, limits."), path: "plan.currency" },
      ),
      h(
        "div",
        { class: "pp-ed-row" },
        field(t("Days on hold"), number("hold_days"), { help: t("So many days after its day a line may stand on a statement. Empty: at once."), path: "plan.hold_days" }),
        field(t("Months of run-off"), number("run_off_months"), {
          help: t("Who left the program is paid on for so many months, for customers won before. Empty: not at all."), path: "plan.run_off_months",
        }),
      ),
    ),
  ];
}
