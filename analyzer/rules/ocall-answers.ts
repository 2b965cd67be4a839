/** Calls of the application that answer -EINTR because an ocall of theirs did. */

import { E } from "../../engine/index.ts";
import { HOW, NONE, only, SCOPE, type ThreadModel } from "../model/index.ts";
import type { Found, Handlers } from "../rule.ts";
import { callName } from "./common.ts";

export interface Answered {
  readonly call: string;
}
export type AnsweredId = "called" | "interrupted" | "answered";

/** `isAsked` looks at the label of a call. */
export function answersOfOcalls(
  m: ThreadModel,
  found: (finding: Found<Answered, AnsweredId>) => void,
  isAsked: (label: string) => boolean,
): Handlers {
  /** On calls: an ocall that returned -EINTR. */
  const interrupted = m.notesOnScopes<number>((seq, call) => {
    if (m.how !== HOW.RETURNED || m.value !== E.INTR) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "called", seq: m.seqOf(call) },
        { id: "interrupted", seq },
        { id: "answered", seq: m.seq },
      ],
      data: { call: callName(m.labelOf(call)) },
    });
  });

  return {
    "ocall.return": only(isAsked, () => {
      const call = m.open(SCOPE.CALL);
      if (m.value === E.INTR && call !== NONE) interrupted.set(call, m.seq);
    }),
  };
}
