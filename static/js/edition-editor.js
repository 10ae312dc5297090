// The editor of an edition: tiers, distinctions and measures, and what holds for the whole of it.

import { addMeasure, duplicateMeasure, measureForm } from "./editor/measure.js";
import { countriesForm, exchangeForm, lifeForm } from "./editor/settings.js";
import { start } from "./editor/shell.js";
import { t, uses } from "./editor/state.js";
import { addDistinction, addTier, distinctionForm, tierForm } from "./editor/tier.js";

function heldBy(measure) {
  const count = uses(measure.key);
  return count ? t("Rules and measures name it {count} times: change them first", { count }) : "";
}

start({
  empty: { tiers: [], distinctions: [], measures: [], life: {}, country_groups: {}, exchange: {} },
  kinds: {
    tiers: {
      title: t("Tiers, lowest first"), add: addTier, adds: t("Add a tier"), form: tierForm, symbol: "stairs",
      up: [t("Higher in the ladder"), 1], down: [t("Lower in the ladder"), -1],
    },
    distinctions: { title: t("Distinctions"), add: addDistinction, adds: t("Add a distinction"), form: distinctionForm, symbol: "military_tech" },
    measures: {
      title: t("Measures"), add: addMeasure, adds: t("Add a measure"), form: measureForm, symbol: "monitoring",
      copy: duplicateMeasure, held: heldBy,
    },
  },
  settings: {
    life: { title: t("Life of a tier"), form: lifeForm, icon: "event_repeat" },
    country_groups: { title: t("Country groups"), form: countriesForm, icon: "public" },
    exchange: { title: t("Exchange table"), form: exchangeForm, icon: "currency_exchange" },
  },
  names: {
    parts: t("Parts of the edition"), whole: t("The whole edition"), save: t("Save the draft"),
    toMend: (count) => t("To mend before it can be published: {count}", { count }),
  },
});
