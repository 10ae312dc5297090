// Moving rules in their tree. A slot is where a rule stands: in the list of a group, or alone under a key.

import { ed } from "./state.js";

const KINDS = ["all", "any", "none"];

/** The key under which a group holds its rules; undefined for what is no group. */
export function listKey(node) {
  if ("at_least" in node && "of" in node) return "of";
  return KINDS.find((kind) => Array.isArray(node[kind]));
}

export const isGroup = (node) => listKey(node) !== undefined;
export const spanKind = (node) => ["unbroken", "any_day"].find((kind) => kind in node);

/** Every rule below and with `node`. */
function* every(node) {
  yield node;
  const key = listKey(node);
  for (const child of key ? node[key] : node.rule ? [node.rule] : []) yield* every(child);
}

/** Change the tree of `root.holder[root.key]`. "including" names places: it follows the rules that it meant. */
export function restructure(root, change) {
  const meant = [];
  if (root.holder[root.key]) {
    for (const node of every(root.holder[root.key])) {
      if (node.including) meant.push([node, node.including.of.map((place) => node.of[place])]);
    }
  }
  change();
  for (const [node, rules] of meant) {
    const places = rules.map((rule) => node.of?.indexOf(rule) ?? -1).filter((place) => place >= 0);
    if (places.length) {
      node.including = { at_least: Math.min(node.including.at_least, places.length), of: places.sort((a, b) => a - b) };
    } else delete node.including;
  }
  ed.redraw();
}

/** The slot of a rule in a group. `within` is the slot of the group. */
export function inList(within, list, index, path) {
  return { root: within.root, within, list, index, path, node: list[index] };
}

/** The slot of a rule alone under `holder[key]`; `within` is the slot that holds it, none for a root. */
export function alone(root, within, holder, key, path) {
  return { root, within, holder, key, path, node: holder[key] };
}

export function replace(slot, node) {
  if (slot.list) slot.list[slot.index] = node;
  else slot.holder[slot.key] = node;
}

export function remove(slot) {
  if (slot.list) {
    slot.list.splice(slot.index, 1);
    if (!slot.list.length) removeEmpty(slot.within);
  } else delete slot.holder[slot.key];
}

/** A group that lost its last rule goes too; where a rule must stand, an empty group stays and says so. */
function removeEmpty(slot) {
  if (slot.list) remove(slot);
  else if (!slot.within) delete slot.holder[slot.key];
}

// --- Where a rule can go ---------------------------------------------------------------------------

/** The group that stands just before, else just after: where "move into" leads. */
export function neighbour(slot) {
  if (!slot.list) return undefined;
  return [slot.index - 1, slot.index + 1].map((place) => slot.list[place]).find((one) => one && isGroup(one));
}

export function moveBy(slot, by) {
  restructure(slot.root, () => {
    const { list, index } = slot;
    [list[index], list[index + by]] = [list[index + by], list[index]];
  });
}

export function moveInto(slot, group) {
  const before = slot.list[slot.index - 1] === group;
  restructure(slot.root, () => {
    slot.list.splice(slot.index, 1);
    const inside = group[listKey(group)];
    if (before) inside.push(slot.node);
    else inside.unshift(slot.node);
  });
}

export const canMoveOut = (slot) => Boolean(slot.list && slot.within.list);

export function moveOut(slot) {
  const group = slot.within;
  restructure(slot.root, () => {
    slot.list.splice(slot.index, 1);
    group.list.splice(group.index + 1, 0, slot.node);
    if (!slot.list.length) remove(group);
  });
}

export function wrap(slot, make) {
  restructure(slot.root, () => replace(slot, make(slot.node)));
}

/** What a group or a holder holds stands in its place. */
export function canUnwrap(slot) {
  const key = listKey(slot.node);
  if (key) return slot.node[key].length === 1 || (slot.list && slot.node[key].length > 0);
  return Boolean(slot.node.rule);
}

export function unwrap(slot) {
  const key = listKey(slot.node);
  const inside = key ? slot.node[key] : [slot.node.rule];
  restructure(slot.root, () => {
    if (slot.list) slot.list.splice(slot.index, 1, ...inside);
    else replace(slot, inside[0]);
  });
}

/** Put the rule of `moved` before or after the one of `target`, in its list. Nothing happens inside itself. */
export function drop(moved, target, after) {
  if (!target.list || moved.root.holder !== target.root.holder || moved.root.key !== target.root.key) return;
  for (let slot = target; slot; slot = slot.within) if (slot.node === moved.node) return;
  restructure(target.root, () => {
    moved.list.splice(moved.index, 1);
    const place = target.list.indexOf(target.node);
    target.list.splice(place + (after ? 1 : 0), 0, moved.node);
    if (!moved.list.length) removeEmpty(moved.within);
  });
}
