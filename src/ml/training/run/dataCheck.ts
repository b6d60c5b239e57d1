import { setTimeout as delay } from 'node:timers/promises';
import { type DataReport, findingText } from '../../../protocol/dataReport.ts';
import { CancelledError, messageOf } from '../../../protocol/errors.ts';
import type { RunSplit } from '../../../protocol/runSplit.ts';
import { checkData, checkedFiles, reportOfScan } from '../../data/checkData.ts';
import { createDecodePool } from '../../data/decodePool.ts';
import { digestImages } from '../../data/digestImages.ts';
import { drawnSplit } from '../../data/keptSplit.ts';
import { probeImages } from '../../data/probeImages.ts';
import type { Dataset } from '../../data/scanDataset.ts';
import type { Sketch } from '../../data/sketch.ts';
import { createSketchbook } from '../../data/sketchbook.ts';
import type { SplitShares } from '../../data/stratifiedSplit.ts';
import type { TrainableCounts } from '../../data/whyUntrainable.ts';
import type { RunSession } from './runSession.ts';

/** What is looked at. */
export interface CheckedRun {
  readonly session: RunSession;
  readonly dataset: Dataset;
  readonly config: SplitShares;
  /** What a resumed run kept. */
  readonly split?: RunSplit;
}

/** A run's look at its data, beside the training. */
export interface DataCheck {
  /** Whether each class has an image that can be read. */
  readonly readable: Promise<TrainableCounts>;
  /** The split to be kept: for a new run with what its images are known by. */
  readonly split: Promise<RunSplit>;
  /** Hears of each image when it is loaded for the first time. */
  readonly seen: (file: string, sketch: Sketch) => void;
  readonly undecodable: (file: string) => void;
  /** Waits for what can be found soon after the last image was loaded. */
  readonly finished: () => Promise<void>;
}

/** Longest that the end of a run waits, in milliseconds. */
const patience = 5000;

/**
 * Looks at the images while the network is made, for what training must not begin without, and says what the scan left out.
 * Then looks through the data while the first steps run: hashing a large folder takes longer than anyone would wait. Once
 * training has decoded all its images, and so made their sketches, copies that were re-encoded are looked for; of the
 * images only those to be tested on are decoded for that. The record gets the report, the log its findings.
 */
export function checkWhileTraining(
  { session, dataset, config, split: kept }: CheckedRun,
  signal: AbortSignal,
): DataCheck {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const sketches = createSketchbook(checkedFiles(dataset).map(({ file }) => file));
  let left = dataset.splits.train.length + dataset.splits.valid.length;
  let allSeen = (): void => undefined;
  const seenOrOver = new Promise<void>((resolve) => (allSeen = resolve));
  over.signal.addEventListener('abort', () => allSeen());
  const count = () => {
    if (--left === 0) allSeen();
  };

  // All threads share what the first step waits for.
  const early = createDecodePool();
  const readable = probeImages(dataset, early, either);
  const draw = async () => kept ?? drawnSplit(dataset, config, await digestImages(dataset, early, either));
  const split = draw();
  // Whoever waits for them hears of their failures.
  const first = Promise.allSettled([readable, split]).then(() => early.dispose());
  const said = new Set<string>();
  const tell = async (report: DataReport) => {
    // That a resumed run has lost whole classes stands in no way, and it has said so itself.
    const findings = report.findings.filter(({ level }) => !kept || level !== 'error');
    await session.setData({ ...report, findings });
    for (const finding of findings) {
      const sentences = findingText(finding);
      if (!said.has(sentences)) session.log(sentences, finding.level);
      said.add(sentences);
    }
  };
  const check = async () => {
    await tell(reportOfScan(dataset));
    await first;
    // One thread: the others are for the images of the steps.
    const pool = createDecodePool(1);
    try {
      const look = { decode: false, pool, signal: either };
      await tell(await checkData(dataset, look));
      await seenOrOver;
      if (!either.aborted) await tell(await checkData(dataset, { ...look, sketches }));
    } finally {
      await pool.dispose();
    }
  };
  const checked = check().catch((error: unknown) => {
    if (error instanceof CancelledError) return;
    try {
      session.log(`The data could not be checked: ${messageOf(error)}`, 'warning');
    } catch {
      // Where not even that can be written, the run fails with the same reason.
    }
  });
  session.onEnd(async () => {
    over.abort();
    await checked;
    await first;
  });
  return {
    readable,
    split,
    seen: (file, sketch) => {
      sketches.add(file, sketch);
      count();
    },
    undecodable: count,
    finished: async () => {
      if (left > 0 || signal.aborted) return;
      const inTime = await Promise.race([checked.then(() => true), delay(patience, false, { ref: false })]);
      if (!inTime)
        session.log('The run ended before all copies among its images were found; fivecrop check finds them.');
    },
  };
}
