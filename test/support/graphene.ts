/** The state of a machine that runs a stack of Graphene, with the part that this generation keeps. */

import type { Process as GrapheneProcess, Thread as GrapheneThread } from "../../engine/generations/graphene-2019/state.ts";
import type { Machine } from "../../engine/index.ts";

type GrapheneMachine = Machine<GrapheneThread, GrapheneProcess>;

export const grapheneThread = ({ threads }: Machine, id = 0): GrapheneThread | null => (threads as GrapheneMachine["threads"])[id] ?? null;

export const grapheneProcess = ({ processes }: Machine, id = 0): GrapheneProcess | null =>
  (processes as GrapheneMachine["processes"])[id] ?? null;

/** Locks of the LibOS that somebody owns now: the lock's object and its owner. Gramine keeps them with the LibOS, Graphene with the PAL. */
export function ownedLocks({ processes }: Machine): { object: number; owner: number; name: string }[] {
  return processes.flatMap((process) => {
    if (!process?.alive) return [];
    const { pal, libos } = process as unknown as { pal?: Partial<Tables>; libos?: Partial<Tables> };
    const owners = pal?.locks ?? libos?.owners ?? {};
    const objects = pal?.lockObjects ?? libos?.lockObjects ?? {};
    return Object.entries(owners).flatMap(([name, owner]) => (objects[name] === undefined ? [] : [{ name, owner, object: objects[name] }]));
  });
}

interface Tables {
  readonly locks: Record<string, number>;
  readonly owners: Record<string, number>;
  readonly lockObjects: Record<string, number>;
}
