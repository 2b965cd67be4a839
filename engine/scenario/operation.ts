/** What an operation of scenarios is: its arguments and its page of the manual. */

import * as z from "zod";
import { duration, name, result } from "./values.ts";

/** What `eintr explain OPERATION` says. The arguments are explained at their fields. */
export interface Manual {
  /** One line: what it does. */
  readonly does: string;
  /** What Linux does. */
  readonly linux: string;
  /** What Graphene does at the base revision, where it differs. */
  readonly graphene: string;
  /** One operation as a scenario writes it, without the dash. */
  readonly example: string;
  /** Argument that may be given alone: `compute: 5ms` stands for `compute: {for: 5ms}`. */
  readonly short?: string;
}

type Args = z.ZodObject;

/** The schema is made when it is first asked for: most starts of the program read no scenario, and a schema takes its time. */
export function operation<const S extends Args>(manual: Manual, schema: () => S) {
  let made: S | undefined;
  return {
    manual,
    get args(): S {
      made ??= schema();
      return made;
    },
  };
}

/** What the program gets on every stack when nothing goes wrong there. */
export const AS_LINUX = "As on Linux.";

const expect = result.optional().describe("result that the real program got, from a log; a difference is reported");

/** Line of the log that an operation comes from. */
export const line = z.number().int().min(1).optional().describe("line of the log that it comes from");

/** Shown with the call; it changes nothing. */
const about = z
  .string()
  .min(1)
  .max(300)
  .optional()
  .describe("what the log tells of the call, such as `on fd 3</dev/tty>`, or the function that made it; it is shown behind it");

/** Further arguments of a call that does not wait. */
export const done = { expect, line, about };

/** Further arguments of a call that waits: for an object of the scenario, or for the outside world. */
export const waiting = {
  takes: duration.optional().describe("the outside world answers after this time, with `result`; without it the call waits for its object"),
  result: result.optional().describe("what the outside world answers: a count, or a negative errno such as -4"),
  expect,
  line,
  about,
};

/** An object of the scenario (pipe, socket, word, ...): it comes to be when it is first named. */
export const object = (meaning: string) => name.optional().describe(`${meaning}; an object comes to be when it is first named`);
