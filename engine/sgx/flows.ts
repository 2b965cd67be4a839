/** Where the processor goes by itself: into the enclave, and out of it by an asynchronous exit. */

import { ref } from "../ref.ts";

/** Locals of the enclave's entry code. */
export interface Entry {
  /** Flow that an ecall starts in the enclave, -1 none. */
  start: number;
  event: number;
}
export const enclaveEntry = ref<Entry>("enclave_entry");

/** Flow at the asynchronous exit pointer: where a thread goes on, outside, after an AEX. */
export const aep = ref("async_exit_pointer");
