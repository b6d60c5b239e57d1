import { createHash } from 'node:crypto';
import { exportKeys } from '../../protocol/exportFormat.ts';

/*
 * The digest of an exported file is the SHA-256 of all its bytes, with zeros in the place of the digest itself. It lies in
 * the metadata: an entry of the ONNX format is its key and its value, each behind a tag and a length.
 */

const digits = 64;
const [keyTag, valueTag] = [0x0a, 0x12];

/** What stands in the place of the digest until it is known. */
export const noDigest = '0'.repeat(digits);

const entryStart = Buffer.concat([
  Buffer.of(keyTag, exportKeys.digest.length),
  Buffer.from(exportKeys.digest, 'utf8'),
  Buffer.of(valueTag, digits),
]);

/** Puts the digest of a file that was encoded with `noDigest` into its place. */
export function stampDigest(bytes: Uint8Array): void {
  const place = digestPlace(bytes);
  if (place === undefined) throw new Error('the exported model has no place for its digest');
  place.write(digestOf(bytes, place), 'latin1');
}

/** Whether a file is as it was stamped; undefined where it has no digest. */
export function isAsStamped(bytes: Uint8Array): boolean | undefined {
  const place = digestPlace(bytes);
  return place === undefined ? undefined : place.toString('latin1') === digestOf(bytes, place);
}

/** The bytes of the digest: a view. */
function digestPlace({ buffer, byteOffset, byteLength }: Uint8Array): Buffer | undefined {
  const all = Buffer.from(buffer, byteOffset, byteLength);
  const at = all.lastIndexOf(entryStart) + entryStart.length;
  return at < entryStart.length || at + digits > all.length ? undefined : all.subarray(at, at + digits);
}

function digestOf(bytes: Uint8Array, place: Buffer): string {
  const at = place.byteOffset - bytes.byteOffset;
  const hash = createHash('sha256').update(bytes.subarray(0, at)).update(noDigest);
  return hash.update(bytes.subarray(at + digits)).digest('hex');
}
