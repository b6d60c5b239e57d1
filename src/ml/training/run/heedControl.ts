import { takeControl } from '../../../runs/control.ts';
import type { TrainingControl } from './control.ts';

/** Milliseconds between two looks. */
const interval = 1000;

/**
 * Does what `control.json` in the folder of a run asks for, at once and then looked at every second, until the returned
 * function is called. That is how a run is controlled from another machine.
 */
export function heedControl(folder: string, control: TrainingControl): () => void {
  const look = () => {
    // A job that goes back into the queue hears it when it begins anew.
    if (control.signal.aborted) return;
    void takeControl(folder).then((request) => {
      if (request) control[request.action]();
    });
  };
  look();
  // It keeps the process of a paused run alive too.
  const timer = setInterval(look, interval);
  return () => clearInterval(timer);
}
