// What a whole category counts at most and at least stands in editions: said here, with the way there.

import { card, h } from "../editor/dom.js";
import { dayShown, ed, say, t } from "../editor/state.js";

export function categoriesForm() {
  const codes = [...new Set(ed.doc.points.map((row) => row.category).filter(Boolean))];
  return [
    card(
      t("Caps and minima of a category"),
      h("p", { class: "pp-muted" }, t("A row limits what its own facts bring. What a whole category counts at most is a cap of the measure that counts points; its least is a requirement of a tier. Both stand in an edition.")),
      ed.catalogue.capped.length
        ? h("ul", { class: "pp-ed-benefits" }, ed.catalogue.capped.map((one) =>
            h("li", {},
              h("a", { class: "pp-link", href: one.address }, t("{measure}, edition {edition}", { measure: one.name, edition: one.edition })),
              h("p", { class: "pp-ed-help" }, one.caps.length ? one.caps.map(([name, most]) => t("{category}: at most {points}", { category: name, points: most })).join(" · ") : t("No caps by category")),
            )))
        : h("p", { class: "pp-muted" }, t("No measure of an edition counts points yet.")),
    ),
    card(
      t("Rows by category"),
      codes.length
        ? h("dl", { class: "pp-ed-defined" }, codes.map((code) => [
            h("dt", {}, code),
            ed.doc.points.filter((row) => row.category === code).map((row) => h("dd", {}, t("{row}, from {day}", { row: say(row.name) || row.code, day: dayShown(row.starts_on) }))),
          ]))
        : h("p", { class: "pp-muted" }, t("The table has no row yet.")),
    ),
  ];
}
