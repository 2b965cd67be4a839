/** What calls of a log cost on native-linux. */

import { costOf } from "../../../engine/index.ts";

/** Virtual ns of a call that does not wait, and of the way back from one that did, on native-linux. */
export const AT_ONCE_NS = costOf("host.syscall.enter") + costOf("host.syscall.exit") + 3 * costOf("call");
export const WAY_BACK_NS = costOf("thread.wake") + costOf("host.syscall.exit") + 3 * costOf("call");
/** From its creation to its first operation. */
export const THREAD_START_NS = costOf("thread.start");
export const PROCESS_START_NS = costOf("process.start");

/** Of a call that has waited for `takes` ns; 0: it found what it wanted. */
export const waitNs = (takes: number): number => (takes === 0 ? AT_ONCE_NS : takes + WAY_BACK_NS);
