/** The stacks of today's Gramine, for tests: those of the list, or as long as they are not listed, added to it. */

import { gramineLinux, gramineSgx } from "../../engine/generations/gramine/index.ts";
import { addStack, findStackName } from "../../engine/stack/index.ts";

export const GRAMINE_LINUX = findStackName("gramine-linux") ?? addStack("gramine-linux", gramineLinux);
export const GRAMINE_SGX = findStackName("gramine-sgx") ?? addStack("gramine-sgx", gramineSgx);
