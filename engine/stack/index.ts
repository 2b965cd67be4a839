/** The stacks, in order of distance from plain Linux. To add one: a module beside this file, a name in the scenario schema, a line here. */

import type { FixName } from "../fixes.ts";
import type { Flow } from "../flow.ts";
import type { StackName } from "../scenario/schema.ts";
import { grapheneLinux, grapheneSgx } from "./graphene.ts";
import { nativeLinux } from "./native-linux.ts";

export interface Stack {
  readonly text: string;
  readonly flows: (fixes: ReadonlySet<FixName>) => Flow[];
  /** First flow of a process's first thread. */
  readonly boot: string;
  /** First flow of a further thread whose first own function is `start`. */
  readonly bootThread: (start: string) => string;
  readonly enclave: boolean;
}

export const STACKS: Readonly<Record<StackName, Stack>> = {
  "native-linux": nativeLinux,
  "graphene-linux": grapheneLinux,
  "graphene-sgx": grapheneSgx,
};
