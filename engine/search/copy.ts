/**
 * Copies of the state that run as fast as the original: each record is made by a literal with the fields in their order, so that it has
 * the hidden class of the one it is a copy of. Values are shared, because they are replaced and never changed in place.
 */

import type { Layout, LocalsLayout, RecordLayout } from "./layout.ts";
import { hasFields, isRole } from "./parts.ts";

type Maker = (from: object) => object;

interface Known {
  readonly keys: readonly string[];
  readonly make: Maker;
}

const makers = new WeakMap<RecordLayout | LocalsLayout, Known[]>();

function makerFor(layout: RecordLayout | LocalsLayout, x: object): Maker {
  let known = makers.get(layout);
  if (known === undefined) {
    known = [];
    makers.set(layout, known);
  }
  for (const { keys, make } of known) if (hasFields(x, keys)) return make;
  const keys = Object.keys(x);
  const make = makeMaker(layout, keys);
  known.push({ keys, make });
  return make;
}

/** Names of fields are the declarations' own, with spaces in those of counters. */
function makeMaker(layout: RecordLayout | LocalsLayout, keys: readonly string[]): Maker {
  const layouts = keys.map((key): Layout => layout.fields[key] ?? "essential");
  const fields = keys.map((key, i) => {
    const name = JSON.stringify(key);
    return isRole(layouts[i] ?? "essential") ? `${name}:s[${name}]` : `${name}:copy(L[${i}],s[${name}])`;
  });
  return new Function("copy", "L", `"use strict";return s=>({${fields.join(",")}})`)(copyPart, layouts) as Maker;
}

function copyPart(layout: Layout, x: unknown): unknown {
  if (x === null || x === undefined || isRole(layout)) return x;
  if (layout.what === "list") {
    if (isRole(layout.of)) return (x as readonly unknown[]).slice();
    return (x as readonly unknown[]).map((y) => copyPart(layout.of, y));
  }
  if (layout.what === "table") {
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(x)) out[key] = copyPart(layout.of, (x as Record<string, unknown>)[key]);
    return out;
  }
  return makerFor(layout, x)(x);
}

/** A copy of a plain state that shares only values with it. */
export const copyState = <T extends object>(layout: RecordLayout, state: T): T => copyPart(layout, state) as T;
