/** Flows of the Linux PAL that its own files name. */

import { ref } from "../../../../ref.ts";

export const vdsoClockGettime = ref("vdso_clock_gettime");
