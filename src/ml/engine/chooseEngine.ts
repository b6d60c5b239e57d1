import { cancelled, userError } from '../../protocol/errors.ts';
import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import { machineFingerprint, recallDevices, rememberDevices, type RememberedDevices } from './deviceMemory.ts';
import type { Device, Engine, EngineName } from './engine.ts';
import { engines } from './engines.ts';
import { cudaFingerprint } from './onnxruntime/cuda/installedCuda.ts';
import { engineVersion, packageVersion } from './engineVersion.ts';
import { probeDevice, shortPatience, type Probe } from './probeDevice.ts';
import { checkVersion, selfCheck, trustedDifference } from './selfCheck.ts';

export interface EngineWish {
  readonly engine: TrainingConfig['engine'];
  readonly device: TrainingConfig['device'];
  readonly log: (message: string) => void;
}

/** What computes; `fallbacks` says in sentences what was asked for, or better, and could not be had. */
export interface ChosenEngine {
  readonly engine: Engine;
  readonly device: string;
  readonly fallbacks: readonly string[];
}

/** A device, and what its self-check found where one was made. */
export interface CheckedDevice extends Device {
  readonly check?: Probe;
  /** It is there, and its check failed: it is not used, and something is wrong with it. */
  readonly refused: boolean;
}

/** Changes with this machine and the versions of what computes: what was measured before is then worth nothing. */
export function deviceFingerprint(): string {
  const runtimes = engines.map(({ name }) => engineVersion(name));
  const versions = [checkVersion, ...runtimes, packageVersion('@tensorflow/tfjs-node-gpu'), cudaFingerprint()];
  return machineFingerprint(versions);
}

/** What native libraries say when there is no such device, in words that help. */
const absences: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/WebGPU adapter|No supported adapters/i, 'no graphics adapter was found'],
];

function absence(probe: Probe): string | undefined {
  const found = 'error' in probe ? absences.find(([pattern]) => pattern.test(probe.error)) : undefined;
  return found?.[1];
}

/** Why a probe's device is not used, or undefined where it may be. */
function refusal(probe: Probe): string | undefined {
  if ('error' in probe) return absence(probe) ?? probe.error.split('\n')[0];
  if (probe.difference === null) return 'its gradients are not numbers';
  if (probe.lossDifference === null) return 'its losses are not numbers';
  if (probe.difference >= trustedDifference) return `its gradients differ from the CPU's by ${probe.difference}`;
  if (probe.lossDifference >= trustedDifference) return `its losses differ from the CPU's by ${probe.lossDifference}`;
  return undefined;
}

export interface ListOptions {
  /** Times the CPUs too, and remembers what was found for the choices that follow. */
  readonly checkAll?: boolean;
  /** Ends the list between two devices, as a cancellation. */
  readonly signal?: AbortSignal;
  /** Called with how many devices have been looked at, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Every engine's devices. Those that could be a graphics card are tried in processes of their own: what is listed as
 * available has trained a few steps with the CPU's numbers. Throws a cancellation.
 */
export async function listDevices(options: ListOptions = {}): Promise<readonly CheckedDevice[]> {
  const known = (await Promise.all(engines.map((engine) => engine.devices()))).flat();
  const checked: CheckedDevice[] = [];
  // One after another: two probes at once would time each other.
  for (const [index, device] of known.entries()) {
    if (options.signal?.aborted) throw cancelled();
    options.onProgress?.(index, known.length);
    if (!device.available || (device.name === 'cpu' && options.checkAll !== true)) {
      checked.push({ ...device, refused: false });
      continue;
    }
    const check = await probeDevice(device.engine, device.name);
    const reason = refusal(check);
    const unusable = reason === undefined ? {} : { available: false, detail: `${reason} (${device.detail})` };
    checked.push({ ...device, ...unusable, check, refused: reason !== undefined && absence(check) === undefined });
  }
  if (options.checkAll === true) await rememberDevices(deviceFingerprint(), foundIn(checked));
  return checked;
}

/** What a check of all devices found, as it is remembered. */
function foundIn(checked: readonly CheckedDevice[]): RememberedDevices {
  const found: RememberedDevices = { devices: [], refused: [], cpu: {} };
  for (const { engine, name, check } of checked) {
    if (check === undefined) continue;
    const reason = refusal(check);
    if (name === 'cpu') {
      if ('secondsPerStep' in check && reason === undefined) found.cpu[engine] = check.secondsPerStep;
    } else if (reason !== undefined) {
      found.refused.push({ engine, device: name, reason, absent: absence(check) !== undefined });
    } else if ('secondsPerStep' in check) {
      found.devices.push({ engine, device: name, secondsPerStep: check.secondsPerStep });
    }
  }
  return found;
}

/** What `auto` takes here for engine and device, and why, as the rest of a sentence. */
export async function automaticChoice(
  log: (message: string) => void,
): Promise<{ readonly engine: EngineName; readonly device: string; readonly reason: string }> {
  const { engine, device, reason } = await chooseFastest({ engine: 'auto', device: 'auto', log });
  return { engine: engine.name, device, reason };
}

/**
 * Chooses what computes. An engine and a device asked for by name are taken or refused with the reason, never replaced.
 * `auto` takes the fastest device that passes the self-check; what the check found is remembered until the hardware or
 * a version changes. Throws a user error where what was asked for cannot be had.
 */
export async function chooseEngine(wish: EngineWish): Promise<ChosenEngine> {
  if (wish.device === 'auto' || wish.device === 'gpu') return chooseFastest(wish);
  const wanted = engines.filter(({ name }) => wish.engine === 'auto' || wish.engine === name);
  const reasons: string[] = [];
  for (const engine of wanted) {
    const device = (await engine.devices(wish.device)).find(({ name }) => name === wish.device);
    if (device?.available === true) {
      const check = device.name === 'cpu' ? undefined : refusal(await probeDevice(engine.name, device.name));
      if (check === undefined) return { engine, device: device.name, fallbacks: [] };
      reasons.push(`${engine.name}: ${check}`);
    } else reasons.push(`${engine.name}: ${device?.detail ?? 'has no such device'}`);
  }
  throw userError(
    `The device "${wish.device}" cannot be used: ${reasons.join('; ')}. Choose another --device, or auto; \`fivecrop devices\` lists them.`,
  );
}

async function tryDevices(log: (message: string) => void): Promise<RememberedDevices> {
  const key = deviceFingerprint();
  const remembered = await recallDevices(key);
  if (remembered) return remembered;
  const devices: RememberedDevices['devices'] = [];
  const refused: RememberedDevices['refused'] = [];
  const known = (await Promise.all(engines.map((engine) => engine.devices()))).flat();
  const accelerators = known.filter((device) => device.available && device.name !== 'cpu');
  if (accelerators.length > 0) log('Checking the devices of this machine; later runs use the result.');
  for (const { engine, name } of accelerators) {
    const probe = await probeDevice(engine, name, shortPatience);
    const reason = refusal(probe);
    if (reason !== undefined) refused.push({ engine, device: name, reason, absent: absence(probe) !== undefined });
    else if ('secondsPerStep' in probe) devices.push({ engine, device: name, secondsPerStep: probe.secondsPerStep });
  }
  const found = { devices, refused, cpu: {} };
  await rememberDevices(key, found);
  return found;
}

/** Seconds of a step on the CPU: timed once a machine, as the devices are. */
async function cpuSeconds(engine: Engine, tried: RememberedDevices): Promise<number> {
  const known = tried.cpu[engine.name];
  if (known !== undefined) return known;
  const { secondsPerStep } = await selfCheck(engine, 'cpu');
  await rememberDevices(deviceFingerprint(), { ...tried, cpu: { ...tried.cpu, [engine.name]: secondsPerStep } });
  return secondsPerStep;
}

async function chooseFastest({
  engine: engineName,
  device,
  log,
}: EngineWish): Promise<ChosenEngine & { readonly reason: string }> {
  const allowed = engines.filter(({ name }) => engineName === 'auto' || engineName === name);
  const isAllowed = (entry: { engine: string }) => allowed.some(({ name }) => name === entry.engine);
  const tried = await tryDevices(log);
  const candidates = tried.devices.filter(isAllowed).sort((a, b) => a.secondsPerStep - b.secondsPerStep);
  const refused = tried.refused.filter(isAllowed);
  const reasonsOf = (entries: RememberedDevices['refused']) =>
    entries.map((entry) => `${entry.engine} on ${entry.device}: ${entry.reason}`);
  const [best] = candidates;
  const engineOf = (name: string) => {
    const engine = engines.find((candidate) => candidate.name === name);
    if (!engine) throw new Error(`there is no engine named ${name}`);
    return engine;
  };
  if (device === 'gpu') {
    if (best) return { engine: engineOf(best.engine), device: best.device, fallbacks: [], reason: 'it was asked for' };
    const why = refused.length > 0 ? reasonsOf(refused).join('; ') : 'none was found';
    throw userError(`No graphics card can be used: ${why}. Train with --device cpu, or see \`fivecrop devices\`.`);
  }
  const [preferred] = allowed;
  if (!preferred) throw new Error('there is no engine');
  const ofCpu = best && (await cpuSeconds(preferred, tried));
  if (best && ofCpu !== undefined && best.secondsPerStep < ofCpu) {
    const reason = `it passes the check and is ${timesAsFast(ofCpu / best.secondsPerStep)} as fast as the CPU`;
    return { engine: engineOf(best.engine), device: best.device, fallbacks: [], reason };
  }
  const slower = candidates.map((entry) => `${entry.engine} on ${entry.device}: slower than the CPU here`);
  // A machine without a graphics card falls back from nothing; one whose card fails does.
  const reasons = [...slower, ...reasonsOf(refused.filter((entry) => !entry.absent))];
  const fallbacks = reasons.length > 0 ? [`The CPU is used. ${reasons.join('; ')}.`] : [];
  const failed = refused.filter((entry) => !entry.absent).map((entry) => `${entry.engine} on ${entry.device}`);
  const reason =
    best && ofCpu !== undefined
      ? `it is ${timesAsFast(best.secondsPerStep / ofCpu)} as fast as ${best.engine} on ${best.device}`
      : failed.length > 0
        ? `the check refused ${failed.join(' and ')}`
        : 'no graphics card that can be used was found';
  return { engine: preferred, device: 'cpu', fallbacks, reason };
}

function timesAsFast(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} times`;
}
