/** Flows of the Linux PAL that others of it name. */

import type { HandlerLocals } from "../../host/flows.ts";
import { ref } from "../../ref.ts";

/** Locals of the PAL's signal handlers. */
export interface Handler extends HandlerLocals {
  event: number;
}

export const signalSetup = ref("signal_setup");
export const terminateSighandler = ref<Handler>("_DkTerminateSighandler");
export const genericSighandler = ref<Handler>("_DkGenericSighandler");
export const pipeSighandler = ref<Handler>("_DkPipeSighandler");
