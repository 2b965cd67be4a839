/** Classes of records: for each layout and set of fields a class with a getter and a setter for each field, made from text. */

import { flipField } from "./hash.ts";
import { note } from "./journal.ts";
import type { Layout, LocalsLayout, RecordLayout } from "./layout.ts";
import { addClock, flipClock, hasFields, isRole, type Part, removeClock, stands } from "./parts.ts";
import { MOST_FIELDS, placeAt } from "./places.ts";

export interface RecordClass {
  new (from: object): Part;
  readonly prototype: object;
}

/** What a parent holds for a value that its layout says is a part; `kind` as below. */
export type Adopt = (layout: Layout, x: unknown, kind?: number) => unknown;

/** What the classes of records have in common. */
export class ObservedRecord {}

interface Known {
  readonly keys: readonly string[];
  readonly made: RecordClass;
}

/** Classes of a layout by `kind`: for locals the flow's number, so that few have to be looked through. */
const classes = new WeakMap<RecordLayout | LocalsLayout, Known[][]>();

/** Objects of one layout that have other fields are of other classes: locals that some callers give and others do not. */
export function classFor(layout: RecordLayout | LocalsLayout, x: object, kind: number, adopt: Adopt): RecordClass {
  if (x instanceof ObservedRecord) return x.constructor as RecordClass;
  let all = classes.get(layout);
  if (all === undefined) {
    all = [];
    classes.set(layout, all);
  }
  all[kind] ??= [];
  const known = all[kind];
  for (let i = 0; i < known.length; i += 1) {
    const entry = known[i] as Known;
    if (hasFields(x, entry.keys)) return entry.made;
  }
  const keys = Object.keys(x);
  const made = all.flat().find((entry) => hasFields(x, entry.keys))?.made ?? makeClass(layout, keys, adopt);
  known.push({ keys, made });
  return made;
}

/** Text of the class of a record with these fields. Field i stands in `_i`; its place is the record's plus i. */
function makeClass(layout: RecordLayout | LocalsLayout, keys: readonly string[], adopt: Adopt): RecordClass {
  if (keys.length > MOST_FIELDS) throw new Error(`a record of ${keys.length} fields: at most ${MOST_FIELDS}`);
  const layouts = keys.map((key): Layout => layout.fields[key] ?? (layout.what === "record" ? layout.others : "essential"));
  const parts = layouts.flatMap((of, i) => (isRole(of) ? [] : [i]));
  const essential = layouts.flatMap((of, i) => (of === "essential" ? [i] : []));
  const clocks = layouts.flatMap((of, i) => (of === "clock" ? [i] : []));
  const each = (of: readonly number[], text: (i: number) => string): string => of.map(text).join("");
  const name = (i: number): string => JSON.stringify(keys[i]);
  const all = keys.map((_, i) => i);
  /** Locals are of the flow that stands beside them in the frame. */
  const kind = (i: number): string =>
    typeof layouts[i] === "object" && layouts[i].what === "locals" ? `,this._${keys.indexOf("flow")}` : "";
  const shown = (i: number): string => (typeof layouts[i] === "object" && layouts[i].what === "table" ? `this._${i}?.proxy` : `this._${i}`);
  const setter = (i: number): string => {
    if (parts.includes(i))
      return `const was=this._${i};if(${shown(i)}===x)return;note(this,${i},was);const k=this.$k;
        if(k>=0&&was){was.$mix();was.$put(-1)}const now=adopt(L[${i}],x${kind(i)});if(k>=0&&now){now.$put(placeAt(k,${i}));now.$mix()}this._${i}=now`;
    const flips =
      layouts[i] === "essential"
        ? `const k=this.$k;if(k>=0){flipField(k+${i},was);flipField(k+${i},x)}`
        : layouts[i] === "clock"
          ? `const a=stands(was),b=stands(x);if(a!==b&&this.$k>=0){flipField(this.$k+${i},a);flipField(this.$k+${i},b)}`
          : "";
    const noted = layouts[i] === "running" ? "" : `note(this,${i},was);`;
    return `const was=this._${i};if(was===x)return;${noted}${flips}this._${i}=x`;
  };
  const text = `"use strict";return class{
    constructor(s){this.$k=-1;${each(all, (i) => (parts.includes(i) ? `this._${i}=adopt(L[${i}],s[${name(i)}]${kind(i)});` : `this._${i}=s[${name(i)}];`))}}
    ${each(all, (i) => `get [${name(i)}](){return ${shown(i)}}set [${name(i)}](x){${setter(i)}}`)}
    $put(k){${clocks.length > 0 ? "if(this.$k<0){if(k>=0)addClock(this)}else if(k<0)removeClock(this);" : ""}this.$k=k;
      ${each(parts, (i) => `if(this._${i})this._${i}.$put(k<0?-1:placeAt(k,${i}));`)}}
    $mix(){const k=this.$k;${each(essential, (i) => `flipField(k+${i},this._${i});`)}${each(clocks, (i) => `flipField(k+${i},stands(this._${i}));`)}${each(parts, (i) => `if(this._${i})this._${i}.$mix();`)}}
    $clocks(now){${each(clocks, (i) => `flipClock(this.$k+${i},this._${i},now);`)}}
    $undo(i,was){switch(i){${each(all, (i) =>
      parts.includes(i)
        ? `case ${i}:{const k=this.$k;if(this._${i}&&k>=0)this._${i}.$put(-1);if(was&&k>=0)was.$put(placeAt(k,${i}));this._${i}=was;return}`
        : `case ${i}:this._${i}=was;return;`,
    )}}}
    toJSON(){return{${each(all, (i) => `${name(i)}:${shown(i)},`)}}}
  }`;
  const make = new Function("L", "note", "flipField", "adopt", "placeAt", "addClock", "removeClock", "flipClock", "stands", text);
  const made = make(layouts, note, flipField, adopt, placeAt, addClock, removeClock, flipClock, stands) as RecordClass;
  // A class that extends another makes its objects more slowly.
  Object.setPrototypeOf(made.prototype, ObservedRecord.prototype);
  return made;
}
