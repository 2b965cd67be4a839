/** All rules: a new one is a file here and a line in this list. */

import type { Rule } from "../rule.ts";
import { sgxInterruptedCodeLost } from "./sgx-interrupted-code-lost.ts";
import { spuriousYieldPerPending } from "./spurious-yield-per-pending.ts";

export const RULES: readonly Rule[] = [sgxInterruptedCodeLost, spuriousYieldPerPending];
