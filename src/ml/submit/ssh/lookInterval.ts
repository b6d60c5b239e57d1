import process from 'node:process';

const usual = 2000;

/** Milliseconds between two looks at runs on a remote host: tests set a shorter time. */
export function lookInterval(): number {
  const given = Number(process.env['FIVECROP_LOOK_INTERVAL']);
  return given > 0 && given < usual ? given : usual;
}
