import crc32c from 'crc-32/crc32c.js';
import { closeSync, openSync, writeSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { TrainingEvent } from '../../../protocol/trainingEvents.ts';
import { readCurve } from '../../../runs/events.ts';

/*
 * The part of TensorBoard's event format (event.proto, summary.proto and record_writer.cc of TensorFlow) that curves
 * need: a file is a series of records, each a length, the length's checksum, a message, and the message's checksum.
 */
const root = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: { id: 1, type: 'double' },
        step: { id: 2, type: 'int64' },
        fileVersion: { id: 3, type: 'string' },
        summary: { id: 5, type: 'Summary' },
        sessionLog: { id: 7, type: 'SessionLog' },
      },
    },
    SessionLog: { fields: { status: { id: 1, type: 'int32' } } },
    Summary: { fields: { value: { id: 1, type: 'Value', rule: 'repeated' } } },
    Value: {
      fields: { tag: { id: 1, type: 'string' }, simpleValue: { id: 2, type: 'float' } },
      // One of several in the format: otherwise a zero would be left out.
      oneofs: { value: { oneof: ['simpleValue'] } },
    },
  },
});
const message = root.lookupType('Event');

/** `SessionLog.START`: what other files of the folder say of this step and later ones no longer holds. */
const sessionStart = 1;
const fileName = /^events\.out\.tfevents\.\d+\.fivecrop$/u;

/** A file that TensorBoard reads. */
export interface TensorboardFile {
  /** Appends a step or a validation; other events have no curve. Throws where the disk refuses. */
  readonly append: (event: TrainingEvent) => void;
  readonly close: () => void;
}

/**
 * Opens an event file of TensorBoard in a run's folder, with the curves of `metrics.jsonl` up to step `last` in it. It
 * takes the place of the one that the run had before it was resumed.
 */
export async function openTensorboardFile(folder: string, last: number): Promise<TensorboardFile> {
  await removeTensorboardFiles(folder);
  const now = Date.now() / 1000;
  const file = openSync(join(folder, `events.out.tfevents.${Math.floor(now)}.fivecrop`), 'w');
  const write = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  };
  const append = (event: TrainingEvent) => {
    const record = curveRecord(event);
    if (record) write(record);
  };
  try {
    write(eventRecord({ wallTime: now, fileVersion: 'brain.Event:2' }));
    write(eventRecord({ wallTime: now, step: 0, sessionLog: { status: sessionStart } }));
    for await (const events of readCurve(folder, last)) events.forEach(append);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return { append, close: () => closeSync(file) };
}

/** Removes the event files of a run’s folder; returns how many there were. */
export async function removeTensorboardFiles(folder: string): Promise<number> {
  const found = (await readdir(folder)).filter((name) => fileName.test(name));
  for (const name of found) await rm(join(folder, name));
  return found.length;
}

/** The record of a step or a validation; undefined for other events. */
export function curveRecord(event: TrainingEvent): Uint8Array | undefined {
  const values = valuesOf(event);
  if (!values || !('step' in event)) return undefined;
  const value = Object.entries(values).flatMap(([tag, simpleValue]) =>
    simpleValue === undefined ? [] : [{ tag, simpleValue }],
  );
  return eventRecord({ wallTime: Date.parse(event.time) / 1000, step: event.step, summary: { value } });
}

function valuesOf(event: TrainingEvent): Record<string, number | undefined> | undefined {
  if (event.event === 'step') {
    return {
      'loss/step': event.loss,
      learning_rate: event.learningRate,
      gradient_norm: event.gradientNorm,
      images_per_second: event.imagesPerSecond,
    };
  }
  if (event.event === 'validation') {
    return {
      'loss/train': event.trainLoss,
      'loss/validation': event.validLoss,
      'accuracy/top1': event.validAccuracy,
      'accuracy/top5': event.validTop5,
    };
  }
  return undefined;
}

function eventRecord(event: object): Uint8Array {
  const bytes = message.encode(message.fromObject(event)).finish();
  const record = Buffer.alloc(bytes.length + 16);
  record.writeBigUInt64LE(BigInt(bytes.length));
  record.writeUInt32LE(maskedChecksum(record.subarray(0, 8)), 8);
  record.set(bytes, 12);
  record.writeUInt32LE(maskedChecksum(bytes), 12 + bytes.length);
  return record;
}

/** The format keeps checksums turned by 15 bits and moved on, so that checksums of checksums differ. */
function maskedChecksum(bytes: Uint8Array): number {
  const sum = crc32c.buf(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
