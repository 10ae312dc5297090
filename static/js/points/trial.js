// "Try it on a partner": what a row would grant a partner that staff choose, by tonight.

import { card, field, h, selectBox } from "../editor/dom.js";
import { ask } from "../editor/server.js";
import { ed, t } from "../editor/state.js";
import { chosenPartner, partnerChooser } from "../editor/value.js";

/** The card below a row's form. A row that is yet to start is tried over the last twelve months. */
export function trialOf(row, index) {
  const shown = h("div", { class: "pp-ed-value", "aria-live": "polite" });
  let days = row.starts_on < ed.catalogue.today ? "own" : "year";
  const see = async () => {
    const partner = chosenPartner();
    if (!partner) return;
    if (!shown.hasChildNodes()) shown.replaceChildren(h("p", { class: "pp-muted" }, t("Counting…")));
    const answer = await ask("try", { document: ed.doc, row: index, enrollment: partner.id, days });
    if (!shown.isConnected) return;
    shown.replaceChildren(...(answer.problem ? [h("p", { class: "pp-ed-problem" }, answer.problem)] : result(answer)));
  };
  ed.checked = see;
  const choose = (next) => {
    days = next;
    see();
  };
  const spans = [["own", t("in its own days")], ["year", t("as if it had held the last 12 months")]];
  return card(
    t("Try it on a partner"),
    h("p", { class: "pp-muted" }, t("What the night would grant by this row, computed as the night does. Nothing is kept.")),
    h("div", { class: "pp-ed-row" }, partnerChooser(see), field(t("Facts"), selectBox(days, spans, choose, { at: "try.days" }))),
    shown,
  );
}

function result(answer) {
  return [
    h("p", { class: "pp-figure" }, answer.figure),
    ...answer.notes.map((note) => h("p", { class: "pp-note" }, note)),
    answer.facts.length
      ? h("table", { class: "pp-ed-table" },
          h("thead", {}, h("tr", {}, [t("Day"), t("What"), t("Points"), t("Why so many")].map((name) => h("th", { scope: "col" }, name)))),
          h("tbody", {}, answer.facts.map((one) =>
            h("tr", {}, h("td", { "data-label": t("Day") }, one.day), h("td", { "data-label": t("What") }, one.what), h("td", { class: "pp-ed-table__number", "data-label": t("Points") }, one.points), h("td", { "data-label": t("Why so many") }, one.why)))))
      : null,
    answer.more ? h("p", { class: "pp-note" }, answer.more) : null,
  ].filter(Boolean);
}
