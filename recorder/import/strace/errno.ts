/** Error numbers the importer looks at, and those of the names in a log: the table is the engine's. */

import { E } from "../../../engine/index.ts";

export { errnoNumber as errorNumber } from "../../../engine/index.ts";
export const {
  INTR: EINTR,
  AGAIN: EAGAIN,
  FAULT: EFAULT,
  INVAL: EINVAL,
  CHILD: ECHILD,
  SRCH: ESRCH,
  PIPE: EPIPE,
  PERM: EPERM,
  NOMEM: ENOMEM,
  TIMEDOUT: ETIMEDOUT,
} = E;
