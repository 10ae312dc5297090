// The sentences that partners read and what is wrong, as the server says them, put where they belong.

import { h } from "./dom.js";
import { ed, label, t } from "./state.js";

function sentence(one) {
  return h("li", {}, one.says, one.children?.length ? h("ul", { class: "pp-rules" }, one.children.map(sentence)) : null);
}

/** `words` has, by the path of a rule or measure, its sentence in each language. */
export function showWords(pane, words) {
  for (const box of pane.querySelectorAll("[data-words-for]")) {
    const said = words[box.dataset.wordsFor];
    const waits = !said && box.previousElementSibling?.matches(".pp-ed-tree--root");
    box.hidden = !said && !waits;
    if (waits) box.replaceChildren(h("p", { class: "pp-muted" }, t("The sentence is shown when what is marked is mended.")));
    else box.replaceChildren(
      ...(said
        ? [
            h("p", { class: "pp-ed-label" }, box.dataset.title ?? t("What a partner reads")),
            h(
              "div",
              { class: "pp-ed-languages" },
              Object.entries(said).map(([code, one]) =>
                h("div", { lang: code }, h("p", { class: "pp-ed-code" }, label(ed.catalogue.languages, code)), h("ul", { class: "pp-rules pp-rules--top" }, sentence(one))),
              ),
            ),
          ]
        : []),
    );
  }
}

const parent = (path) => path.replace(/(\[\d+\]|\.[^.[\]]+|^[^.[\]]+)$/, "");

/** Each problem beside the closest thing on the page that it concerns; those of other parts are told of in the list. */
export function showProblems(pane, problems) {
  for (const slot of pane.querySelectorAll("[data-problems]")) slot.replaceChildren();
  for (const problem of problems) {
    for (let path = problem.path; path; path = parent(path)) {
      const slots = [...pane.querySelectorAll(`[data-path="${CSS.escape(path)}"]`)]
        .map((place) => place.querySelector(":scope > [data-problems]")).filter(Boolean);
      if (!slots.length) continue;
      slots[0].append(h("p", { class: "pp-ed-problem" }, problem.says));
      break;
    }
  }
}

/** How many problems each part has: by "tiers[1]", "life"... */
export function byPart(problems) {
  const counted = {};
  for (const { path } of problems) {
    const part = /^[a-z_]+(\[\d+\])?/.exec(path)?.[0] ?? "";
    counted[part] = (counted[part] ?? 0) + 1;
  }
  return counted;
}
