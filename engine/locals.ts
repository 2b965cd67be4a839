/**
 * The variables of a function's frame. All frames of a flow are made by one literal, which is made from text when the flow is first
 * called. So they have one hidden class, whatever their callers' arguments were made by, and their copies (search/copy.ts) have the same.
 */

import { copyOf, type Locals } from "./state.ts";

/** Makes the locals of one flow. What it makes shares only values with the arguments: those may be the locals of the caller. */
export interface LocalsMaker {
  make(args: Locals): Locals;
}

type Make = LocalsMaker["make"];

/** `own` are the flow's variables. Its arguments are known at its first call; all calls have the same (`Exactly` in flow.ts). */
export function localsMaker(own: Locals): LocalsMaker {
  const maker: LocalsMaker = {
    make(first) {
      // In one order, whoever calls first: flows outlive a run, and a keyframe's text must not tell of the run before.
      const fields = [...new Set([...Object.keys(own), ...namesOf(first)])].sort();
      const make = literalOf(fields, own);
      maker.make = checked ? withCheck(make, fields, own) : make;
      return make(first);
    },
  };
  return maker;
}

const namesOf = (v: Locals): string[] => Object.keys(copyOf(v));

/** Names of fields are the declarations' own, with spaces in those of counters. An argument replaces a variable of its name. */
function literalOf(fields: readonly string[], own: Locals): Make {
  const texts = fields.map((field) => {
    const name = JSON.stringify(field);
    return Object.hasOwn(own, field) ? `${name}:a[${name}]===undefined?o[${name}]:a[${name}]` : `${name}:a[${name}]`;
  });
  return new Function("o", `"use strict";return a=>({${texts.join(",")}})`)(own) as Make;
}

let checked = false;

/** Flows that are called for the first time from now on throw when another call has other arguments. For tests: it takes time. */
export function checkArguments(): void {
  checked = true;
}

const withCheck =
  (make: Make, fields: readonly string[], own: Locals): Make =>
  (args) => {
    const names = namesOf(args);
    const odd = [
      ...names.filter((name) => !fields.includes(name)),
      ...fields.filter((name) => !names.includes(name) && !Object.hasOwn(own, name)),
    ];
    if (odd.length > 0) throw new Error(`calls of one flow with and without ${odd.join(", ")}; it has ${fields.join(", ")}`);
    return make(args);
  };
