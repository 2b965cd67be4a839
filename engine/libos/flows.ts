/** Flows of the LibOS that others name. */

import { ref } from "../ref.ts";

/** Where the threads that the LibOS makes begin. */
/** Locals of the helper threads are their own: they begin with none. */
export const asyncHelper = ref("shim_async_helper");
export const ipcHelper = ref("shim_ipc_helper");
export const cloneWrapper = ref("clone_implementation_wrapper");
