/** The end of the LibOS's functions. */

import type { Step } from "../../../flow.ts";
import type { Steps } from "../flow.ts";

/** What a call answers with is in RAX already. */
export const answer = <V extends object>(s: Steps<V>): Step =>
  s.ret("return", (c) => {
    c.value = c.t.rax;
  });
