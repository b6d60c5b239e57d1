import { randomUUID } from 'node:crypto';
import * as z from 'zod';

/** The part of the editor's storage that is used. */
export interface Storage {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

const storageKey = 'panels';
/** Panels that are remembered: those of windows that ended without closing them pile up otherwise. */
const keptPanels = 50;
const memorySchema = z.array(z.object({ id: z.string(), value: z.unknown() }));
const pageStateSchema = z.object({ panel: z.string() });

/**
 * What panels show, by the name that each of them bears: the page keeps the name in its state, so that a panel which
 * comes back after a reload of the window is given back what it showed.
 */
export interface PanelMemory<Value> {
  remember(id: string, value: Value): void;
  /** What the panel showed whose page kept `state`; undefined where that is not known any more. */
  recall(state: unknown): { readonly id: string; readonly value: Value } | undefined;
  forget(id: string): void;
}

/** A name for a new panel. */
export function newPanelId(): string {
  return randomUUID();
}

export function createPanelMemory<Value>(storage: Storage, schema: z.ZodType<Value>): PanelMemory<Value> {
  const all = () => memorySchema.safeParse(storage.get(storageKey)).data ?? [];
  const others = (id: string) => all().filter((entry) => entry.id !== id);
  return {
    remember: (id, value) => void storage.update(storageKey, [{ id, value }, ...others(id)].slice(0, keptPanels)),
    recall: (state) => {
      const id = pageStateSchema.safeParse(state).data?.panel;
      const found = all().find((entry) => entry.id === id);
      const value = schema.safeParse(found?.value);
      return found && value.success ? { id: found.id, value: value.data } : undefined;
    },
    forget: (id) => void storage.update(storageKey, others(id)),
  };
}
