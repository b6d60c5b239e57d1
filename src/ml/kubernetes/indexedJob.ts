import { createHash } from 'node:crypto';

/** What a job of Kubernetes trains and on what. */
export interface JobWish {
  /** Name of the job and of its runs, as a folder has it. */
  readonly name: string;
  /** Settings of its runs, one for each index, their paths inside `volume`. */
  readonly settings: readonly object[];
  readonly image: string;
  /** Claim of the volume that holds the images and gets the runs. */
  readonly claim: string;
  /** Pods at the same time, at most. */
  readonly parallel: number;
  readonly cpus: number;
  /** GiB. */
  readonly memory: number;
  /** NVIDIA cards of a pod. */
  readonly gpus: 0 | 1;
  /** Queue of Kueue's, which starts the job when there is room. */
  readonly queue?: string;
}

/** Where a pod sees the volume and the settings. */
export const volume = '/volume';
const settingsFolder = '/settings';
/** Bytes of settings that a ConfigMap holds, with room for its other fields; Kubernetes takes 1 MiB. */
export const mostSettings = 1_000_000;

/** Seconds that a pod has to finish its step and save, once it is asked to end. */
const grace = 120;
/** Further tries of a run whose pod failed. The pauses between them add up to more than the minute after which the lock of a lost pod is given up. */
const tries = 4;

/** The objects of `kubectl apply`: the settings, and an Indexed Job of which each index trains one run and, in another pod, goes on with it. */
export function indexedJob(wish: JobWish): readonly object[] {
  const { settings, parallel, queue } = wish;
  const name = jobNameOf(wish.name);
  const labels = { 'app.kubernetes.io/name': 'fivecrop' };
  const map = `${name}-settings`;
  const data = Object.fromEntries(
    settings.map((each, index) => [`${index}.fivecrop.json`, `${JSON.stringify(each, undefined, 2)}\n`]),
  );
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: map, labels }, data },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, labels: { ...labels, ...(queue === undefined ? {} : { 'kueue.x-k8s.io/queue-name': queue }) } },
      spec: {
        // Kueue lets it begin.
        ...(queue === undefined ? {} : { suspend: true }),
        ...{
          completionMode: 'Indexed',
          completions: settings.length,
          parallelism: Math.min(parallel, settings.length),
        },
        backoffLimitPerIndex: tries,
        podFailurePolicy: {
          rules: [
            // Exit code 2 is an incorrect setting, which no other try puts right.
            { action: 'FailIndex', onExitCodes: { containerName: 'train', operator: 'In', values: [2] } },
            // A node that is drained is no fault of the run.
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          ],
        },
        template: { metadata: { labels }, spec: podOf(wish, map) },
      },
    },
  ];
}

function podOf({ name, settings, image, claim, cpus, memory, gpus }: JobWish, map: string): object {
  const resources = { cpu: String(cpus), memory: `${memory}Gi`, ...(gpus === 0 ? {} : { 'nvidia.com/gpu': gpus }) };
  const index = { fieldRef: { fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']" } };
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: grace,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
    containers: [
      {
        name: 'train',
        image,
        command: ['sh', '-c', podScript(name, settings.length)],
        env: [
          { name: 'JOB_COMPLETION_INDEX', valueFrom: index },
          // Downloads and decoded images are shared by the pods.
          { name: 'FIVECROP_CACHE', value: `${volume}/cache` },
          ...(gpus === 0 ? [] : [{ name: 'FIVECROP_CUDA', value: `${volume}/cuda` }]),
        ],
        resources: { requests: resources, limits: resources },
        volumeMounts: [
          { name: 'data', mountPath: volume },
          { name: 'settings', mountPath: settingsFolder, readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: claim } },
      { name: 'settings', configMap: { name: map } },
    ],
  };
}

/** What a pod runs: its run from the settings, or, where an earlier pod began it, the rest of it, if there is any. */
export function podScript(name: string, runs: number, root = volume, settings = settingsFolder): string {
  const run = `${root}/runs/${name}${runs > 1 ? '-$JOB_COMPLETION_INDEX' : ''}`;
  return [
    `run="${run}"`,
    'if [ -e "$run/run.json" ]; then exec fivecrop train --resume "$run" --unless-finished; fi',
    `exec fivecrop train --config "${settings}/$JOB_COMPLETION_INDEX.fivecrop.json" --save-dir "$run"`,
    '',
  ].join('\n');
}

/** Longest name of a job whose pods can have names: an index and five letters follow. */
const longestName = 46;

/**
 * A name as objects of Kubernetes have it: letters, digits and hyphens. A name that is another one then ends in what tells it
 * from all that would be the same.
 */
export function jobNameOf(name: string): string {
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, '-')
    .replace(/^-+/u, '');
  const plain = trimmed(/^[a-z]/u.test(words) ? words : `run-${words}`, longestName);
  if (plain === name) return name;
  const mark = createHash('sha256').update(name).digest('hex').slice(0, markLength);
  return `${trimmed(plain, longestName - markLength - 1)}-${mark}`;
}

const markLength = 6;

function trimmed(words: string, length: number): string {
  return words.slice(0, length).replace(/-+$/u, '');
}
