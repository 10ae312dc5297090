// "See the value": the measure's figure today for a partner that staff choose.

import { card, h } from "./dom.js";
import { ask } from "./server.js";
import { ed, t } from "./state.js";

let partner; // {id, name}: stays chosen from one part to the next

export const chosenPartner = () => partner;

/** The card below a measure's form. */
export function valueOf(measure) {
  const shown = h("div", { class: "pp-ed-value", "aria-live": "polite" });
  const see = async () => {
    if (!partner) return;
    shown.replaceChildren(h("p", { class: "pp-muted" }, t("Measuring…")));
    const answer = await ask("value", { document: ed.doc, measure: measure.key, enrollment: partner.id });
    if (!shown.isConnected) return;
    if (answer.problem) shown.replaceChildren(h("p", { class: "pp-ed-problem" }, answer.problem));
    else shown.replaceChildren(...figure(answer));
  };
  ed.checked = see;
  return card(t("See the value"), h("div", { class: "pp-ed-row" }, partnerChooser(see)), shown);
}

function figure(answer) {
  return [
    h("p", { class: "pp-figure" }, answer.figure),
    answer.window ? h("p", { class: "pp-note" }, answer.window) : null,
    answer.members?.length
      ? h("dl", { class: "pp-facts" }, answer.members.map(([name, said]) => h("div", {}, h("dt", {}, name), h("dd", {}, said))))
      : null,
  ].filter(Boolean);
}

/** A box that finds partners by what is typed: arrows choose, Enter takes, Escape closes. */
export function partnerChooser(see) {
  let found = [];
  let marked = -1;
  let waiting;
  const list = h("ul", { class: "pp-ed-found", role: "listbox", id: "pp-ed-found", "aria-label": t("Partners"), hidden: true });
  const box = h("input", {
    type: "text", class: "pp-ed-input", role: "combobox", id: "pp-ed-partner", "aria-expanded": "false", "aria-controls": "pp-ed-found",
    "aria-autocomplete": "list", autocomplete: "off", placeholder: t("A partner’s name"), value: partner?.name ?? "", "data-at": "value.partner",
  });
  const close = () => {
    list.hidden = true;
    marked = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };
  const take = (one) => {
    partner = one;
    box.value = one.name;
    close();
    see();
  };
  const mark = (next) => {
    marked = next;
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === marked)));
    box.setAttribute("aria-activedescendant", `pp-ed-found-${marked}`);
  };
  const search = async () => {
    const asked = box.value;
    const answer = await ask("partners", undefined, { q: asked });
    if (box.value !== asked || !box.isConnected) return;
    found = answer.partners ?? [];
    list.replaceChildren(
      ...(found.length
        ? found.map((one, index) =>
            h("li", { role: "option", id: `pp-ed-found-${index}`, "aria-selected": "false", on: { mousedown: (event) => { event.preventDefault(); take(one); } } }, one.name))
        : [h("li", { class: "pp-muted" }, t("No partner of this program has such a name."))]),
    );
    list.hidden = false;
    box.setAttribute("aria-expanded", "true");
  };
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 200);
  });
  box.addEventListener("focus", () => box.select());
  box.addEventListener("blur", close);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) search();
      else if (found.length) mark((marked + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!list.hidden && found.length) take(found[Math.max(marked, 0)]);
    }
  });
  return h("div", { class: "pp-ed-field pp-ed-combo" }, h("label", { class: "pp-ed-label", for: "pp-ed-partner" }, t("For the partner")), box, list);
}
