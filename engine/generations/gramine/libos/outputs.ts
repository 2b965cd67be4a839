/** What a call writes for the application besides its result. */

import type { Mark, Step } from "../../../flow.ts";
import { type Writes, copyOut as writeOne } from "../../../host/outputs.ts";
import type { Steps } from "../flow.ts";

/** Steps that write all of it. */
export const copyOut = <V extends Writes>(s: Steps<V>): (Step | Mark)[] => [
  s.test("nothing to write?", (_, v) => v.out.length === 0, "written"),
  writeOne(s, "write what was asked for"),
  s.at("written"),
];
