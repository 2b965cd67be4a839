/** Descriptors of the LibOS: how a call comes to its handle, and the handle's lock (LibOS/shim/src/bookkeep/shim_handle.c). */

import type { Step } from "../flow.ts";
import type { Cpu, Steps } from "../generations/graphene-2019/flow.ts";
import type { CallLocals } from "../host/calls.ts";
import { naming } from "../naming.ts";
import type { ObjectKind } from "../object-kinds.ts";
import { LIBOS } from "./flows.ts";
import { HANDLE_MAP_LOCK } from "./names.ts";

const lockOf = naming("hdl.lock of");
const lockOfOwn = naming("hdl.lock of a handle of thread");

/** The kind of a call's object; what the outside world answers without one is a pipe. */
export const kindOf = (c: Cpu, object: number): ObjectKind => c.m.objects[object]?.kind ?? "pipe";

/** hdl->lock of an object. A call without one has a handle that no other thread knows. */
export const handleLock = (c: Cpu, object: number): string => (object < 0 ? lockOfOwn(c.t.id) : lockOf(c.m.objects[object]?.name ?? ""));

const map = (): { name: string } => ({ name: HANDLE_MAP_LOCK });

/** get_fd_handle: the map is locked for the look-up alone (shim_handle.c:229). put_handle makes no PAL call while references remain. */
export const getFdHandle = <V extends object>(s: Pick<Steps<V>, "call">): Step[] => [lockMap(s), unlockMap(s)];

export const lockMap = <V extends object>(s: Pick<Steps<V>, "call">): Step => s.call("lock(handle_map.lock)", LIBOS.lock, map);
export const unlockMap = <V extends object>(s: Pick<Steps<V>, "call">): Step => s.call("unlock(handle_map.lock)", LIBOS.unlock, map);

type HasObject = Pick<CallLocals, "object">;

export const lockHandle = <V extends HasObject>(s: Pick<Steps<V>, "call">): Step =>
  s.call("lock(hdl.lock)", LIBOS.lock, (c, v) => ({ name: handleLock(c, v.object) }));
export const unlockHandle = <V extends HasObject>(s: Pick<Steps<V>, "call">): Step =>
  s.call("unlock(hdl.lock)", LIBOS.unlock, (c, v) => ({ name: handleLock(c, v.object) }));
