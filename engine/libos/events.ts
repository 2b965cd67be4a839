/** PAL events as the LibOS uses them. */

import type { Step } from "../flow.ts";
import type { Cpu, Steps } from "../generations/graphene-2019/flow.ts";
import { dkEvent } from "./io.ts";

type Of<V> = (c: Cpu, v: V) => number;

export const setEvent = <V extends object>(s: Pick<Steps<V>, "call">, label: string, event: Of<V>): Step =>
  dkEvent(s, label, "DkEventSet", event);

export const waitEvent = <V extends object>(s: Pick<Steps<V>, "call">, label: string, event: Of<V>): Step =>
  dkEvent(s, label, "DkObjectsWaitAny", event);

export const clearEvent = <V extends object>(s: Pick<Steps<V>, "call">, label: string, event: Of<V>): Step =>
  dkEvent(s, label, "DkEventClear", event);
