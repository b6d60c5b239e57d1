import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { FailedPrediction, ImagePrediction } from '../../protocol/prediction.ts';
import { imagesPerBatch } from '../inference/predictImages.ts';

/** What a server counts of itself, for Prometheus. */
export interface ServeMetrics {
  /** A request has ended. `route` is one of ours, so that names that clients make up are not kept. */
  ended(route: string, status: number, seconds: number): void;
  /** An image has been classified, or not. */
  image(answer: ImagePrediction | FailedPrediction): void;
  /** So many images went through the network together. */
  batch(images: number): void;
  /** All of it in Prometheus’ text format, and the media type of that. */
  text(): Promise<{ readonly text: string; readonly contentType: string }>;
}

/** `waiting` tells how many images wait or are being classified. */
export function createServeMetrics(waiting: () => number): ServeMetrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  const requests = new Counter({
    name: 'fivecrop_requests_total',
    help: 'Requests by the status of their answer; 499 if the client left before it.',
    labelNames: ['route', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'fivecrop_request_seconds',
    help: 'Time from the header of a request to the end of its answer, or until the client left.',
    labelNames: ['route'],
    registers,
  });
  const images = new Counter({
    name: 'fivecrop_images_total',
    help: 'Images by what became of them: classified, rejected (below the confidence threshold) or failed.',
    labelNames: ['result'],
    registers,
  });
  const batches = new Histogram({
    name: 'fivecrop_batch_images',
    help: 'Images that went through the network together.',
    buckets: Array.from({ length: imagesPerBatch }, (_, index) => index + 1),
    registers,
  });
  new Gauge({
    name: 'fivecrop_waiting_images',
    help: 'Images that wait or are being classified.',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  return {
    ended: (route, status, taken) => {
      requests.inc({ route, status });
      seconds.observe({ route }, taken);
    },
    image: (answer) =>
      images.inc({ result: 'error' in answer ? 'failed' : answer.rejected === true ? 'rejected' : 'classified' }),
    batch: (count) => batches.observe(count),
    text: async () => ({ text: await register.metrics(), contentType: register.contentType }),
  };
}
