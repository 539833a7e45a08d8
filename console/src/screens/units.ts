import type { Unit } from '../api/types';
import type { Choice } from '../parts/choice';

/** Units in the order of their tree, children indented under their parent. */
export function unitTree(units: Unit[]): Choice[] {
  const known = new Set(units.map((unit) => unit.id));
  const children = new Map<string | null, Unit[]>();
  for (const unit of units) {
    // The top of what one may see has a parent that one may not see.
    const parent = unit.parent_id !== null && known.has(unit.parent_id) ? unit.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), unit]);
  }
  const choices: Choice[] = [];
  const walk = (parent: string | null, depth: number) => {
    for (const unit of children.get(parent) ?? []) {
      choices.push({ id: unit.id, label: `${'\u3000'.repeat(depth)}${unit.name}` });
      if (depth < 20) walk(unit.id, depth + 1);
    }
  };
  walk(null, 0);
  return choices;
}
